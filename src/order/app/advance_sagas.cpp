#include "order/app/advance_sagas.hpp"

namespace trackops::order::app {

Result<std::vector<domain::Order>> advance_sagas(const SagaSweepOptions& options, OrderStore& store,
                                                 const Clock& clock, Ids& ids,
                                                 const domain::SagaTimeouts& timeouts) {
    const std::vector<domain::OrderId> due =
        TRY(store.claim_due(clock.now(), options.lease, options.limit));
    if (due.empty()) return std::vector<domain::Order>();
    const Duration lag = options.relay_lag();
    std::vector<OrderChange> changes;
    changes.reserve(due.size());
    for (const domain::OrderId id : due) {
        const Uuid cause = ids.next();
        const domain::CommandContext at{
            clock.now(), "saga", {cause.text(), cause.text(), "", ""}, timeouts};
        changes.push_back({id,
                           cause,
                           "saga-clock",
                           {},
                           {},
                           [at, lag](domain::OrderAggregate& record) -> Result<void> {
                               on_timer(record, lag, at);
                               return {};
                           }});
    }
    std::vector<domain::Order> orders;
    for (auto& receipt : store.update(changes)) {
        // A saga that could not be saved is due again after the lease.
        if (receipt) orders.push_back(std::move(receipt->order));
    }
    return orders;
}

}  // namespace trackops::order::app
