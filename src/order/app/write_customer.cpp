#include "order/app/write_customer.hpp"

namespace trackops::order::app {

Result<CustomerWriteResult> write_customer(const CustomerWrite& write, CustomerStore& store,
                                           const Clock& clock) {
    const Instant now = clock.now();
    const auto decide = [&write, now](const std::optional<domain::CustomerAggregate>& current) {
        return apply(current, write.customer, write.command, now);
    };
    return store.write(write, decide, now);
}

}  // namespace trackops::order::app
