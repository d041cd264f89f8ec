#include "order/app/erase_customer.hpp"

#include <fmt/format.h>

namespace trackops::order::app {
namespace {

constexpr std::size_t orders_per_step = 100;  // of one transaction
constexpr int attempts_max = 5;               // while orders are being placed

// Calls `visit` (std::span<const domain::Order> -> Result<void>) with the customer's orders, step
// by step, the newest first.
template <class Visit>
Result<void> each_order_of(const domain::CustomerId& customer, OrderStore& store,
                           const Visit& visit) {
    OrderFilter filter;
    filter.customer = customer;
    std::optional<domain::OrderId> after;
    for (;;) {
        const auto page = TRY(store.list(filter, after, orders_per_step));
        TRY(visit(std::span<const domain::Order>(page.items)));
        if (!page.next) return {};
        after = page.next;
    }
}

Result<std::int64_t> count_finished_orders(const domain::CustomerId& customer, OrderStore& store) {
    std::int64_t count = 0;
    TRY(each_order_of(customer, store, [&](std::span<const domain::Order> orders) -> Result<void> {
        for (const domain::Order& order : orders) {
            if (!is_final(order.status)) {
                return fail(Errc::conflict,
                            fmt::format("the customer's order {} is {}; a customer is erased when "
                                        "every order is DELIVERED or CANCELLED",
                                        order.id.text(), name_of(order.status)));
            }
            ++count;
        }
        return {};
    }));
    return count;
}

Result<void> erase_orders(const EraseCustomer& command, const ErasePorts& ports) {
    return each_order_of(command.customer, ports.orders,
                         [&](std::span<const domain::Order> orders) -> Result<void> {
                             std::vector<OrderChange> changes;
                             const domain::CommandContext at{ports.clock.now(), command.actor,
                                                             command.trace, ports.timeouts};
                             for (const domain::Order& order : orders) {
                                 changes.push_back({order.id,
                                                    ports.ids.next(),
                                                    "order-api",
                                                    {},
                                                    {},
                                                    [at](domain::OrderAggregate& record) {
                                                        return erase_personal_data(record, at);
                                                    },
                                                    command.act});
                             }
                             std::vector<domain::Order> erased;
                             for (Result<SaveResult>& saved : ports.orders.update(changes))
                                 erased.push_back(TRY(std::move(saved)).order);
                             ports.on_orders_erased(erased);
                             return {};
                         });
}

// Errc::precondition_failed when an order was placed after the orders were read.
Result<EraseResult> erase_once(const EraseCustomer& command, const ErasePorts& ports,
                               const std::function<RecordedResponse(const Erasure&)>& answer) {
    const auto found = ports.customers.find(command.customer.text);
    if (!found && found.error().code != Errc::not_found) return std::unexpected(found.error());
    Erasure erasure;
    erasure.orders = TRY(count_finished_orders(command.customer, ports.orders));
    if (found) erasure.addresses = static_cast<std::int64_t>(found->addresses.size());
    if (!found && erasure.orders == 0) return std::unexpected(found.error());
    if (command.is_dry_run) return EraseResult{erasure, {}};

    TRY(erase_orders(command, ports));
    CustomerWrite write{ports.ids.next(), command.customer.text, domain::EraseCustomer{},
                        command.key, [&](const CustomerWriteResult&) { return answer(erasure); }};
    write.trace = command.trace;
    write.act = command.act;
    write.order_count = erasure.orders;
    const Instant now = ports.clock.now();
    const auto decide = [&](const std::optional<domain::CustomerAggregate>& current) {
        return apply(current, command.customer.text,
                     domain::CustomerCommand(domain::EraseCustomer{}), now);
    };
    CustomerWriteResult written = TRY(ports.customers.write(write, decide, now));
    TRY(ports.customers.forget_answers(command.customer.text, ports.clock.now()));
    return EraseResult{erasure, std::move(written.replayed)};
}

}  // namespace

Result<EraseResult> erase_customer(const EraseCustomer& command, const ErasePorts& ports,
                                   const std::function<RecordedResponse(const Erasure&)>& answer) {
    if (command.key) {
        auto recorded = TRY(ports.customers.recorded(*command.key, ports.clock.now()));
        if (recorded) return EraseResult{{}, std::move(recorded)};
    }
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        auto result = erase_once(command, ports, answer);
        if (result || result.error().code != Errc::precondition_failed) return result;
    }
    return fail(Errc::unavailable, "the customer places orders all the time; try again");
}

}  // namespace trackops::order::app
