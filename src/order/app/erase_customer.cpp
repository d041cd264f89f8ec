#include "order/app/erase_customer.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace trackops::order::app {
namespace {

constexpr std::size_t orders_per_step = 100;  // of one transaction
constexpr int attempts_max = 5;               // while orders are being placed

// Errc::conflict when one of the customer's orders is not finished.
Result<std::vector<domain::OrderId>> finished_orders(const domain::CustomerId& customer,
                                                     OrderStore& store) {
    OrderFilter filter;
    filter.customer = customer;
    std::vector<domain::OrderId> found;
    std::optional<domain::OrderId> after;
    for (;;) {
        const auto page = TRY(store.list(filter, after, orders_per_step));
        for (const domain::Order& order : page.items) {
            if (!is_final(order.status)) {
                return fail(Errc::conflict,
                            fmt::format("the customer's order {} is {}; a customer is erased when "
                                        "every order is DELIVERED or CANCELLED",
                                        order.id.text(), name_of(order.status)));
            }
            found.push_back(order.id);
        }
        if (!page.next) return found;
        after = page.next;
    }
}

Result<void> erase_orders(std::span<const domain::OrderId> orders, const EraseCustomer& command,
                          const ErasePorts& ports) {
    while (!orders.empty()) {
        const auto step = orders.first(std::min(orders.size(), orders_per_step));
        orders = orders.subspan(step.size());
        const domain::CommandContext at{ports.clock.now(), command.actor, command.trace,
                                        ports.timeouts};
        const auto erase = [at](domain::OrderAggregate& record) {
            return erase_personal_data(record, at);
        };
        std::vector<OrderChange> changes;
        for (const domain::OrderId& order : step)
            changes.push_back({order, ports.ids.next(), "order-api", {}, {}, erase, command.act});
        std::vector<domain::Order> erased;
        for (Result<SaveResult>& saved : ports.orders.update(changes))
            erased.push_back(TRY(std::move(saved)).order);
        ports.on_orders_erased(erased);
    }
    return {};
}

// The answers are erased before the customer, so that an erasure that breaks off is repeated as a
// whole. Errc::precondition_failed when the customer or its orders have changed since they were
// read: there may be other answers.
Result<EraseResult> erase_once(const EraseCustomer& command, const ErasePorts& ports,
                               const std::function<RecordedResponse(const Erasure&)>& answer) {
    const auto found = ports.customers.find(command.customer.text);
    if (!found && found.error().code != Errc::not_found) return std::unexpected(found.error());
    const auto orders = TRY(finished_orders(command.customer, ports.orders));
    if (!found && orders.empty()) return std::unexpected(found.error());
    Erasure erasure{static_cast<std::int64_t>(orders.size()), 0};
    if (found) erasure.addresses = static_cast<std::int64_t>(found->addresses.size());
    if (command.is_dry_run) return EraseResult{erasure, {}};

    TRY(erase_orders(orders, command, ports));
    TRY(ports.customers.erase_answers(command.customer.text, orders));
    CustomerWrite write{ports.ids.next(), command.customer.text, domain::EraseCustomer{},
                        command.key, [&](const CustomerWriteResult&) { return answer(erasure); }};
    write.trace = command.trace;
    write.act = command.act;
    write.order_count = erasure.orders;
    const Instant now = ports.clock.now();
    using Record = std::optional<domain::CustomerAggregate>;
    const Record before = found ? Record(*found) : std::nullopt;
    const auto decide = [&](const Record& current) -> Result<Record> {
        if (current != before)
            return fail(Errc::precondition_failed, "the customer has changed meanwhile");
        return apply(current, command.customer.text,
                     domain::CustomerCommand(domain::EraseCustomer{}), now);
    };
    CustomerWriteResult written = TRY(ports.customers.write(write, decide, now));
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
    return fail(Errc::unavailable, "the customer or its orders change all the time; try again");
}

}  // namespace trackops::order::app
