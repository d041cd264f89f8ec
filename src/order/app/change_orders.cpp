#include "order/app/change_orders.hpp"

namespace trackops::order::app {
namespace {

std::size_t bytes_in(const std::optional<std::string>& text) { return text ? text->size() : 0; }

}  // namespace

std::size_t bytes_of(const ChangeOrder& command) {
    std::size_t bytes = sizeof command + command.command.reason.size();
    if (const auto& shipment = command.command.shipment)
        bytes += bytes_in(shipment->carrier) + bytes_in(shipment->tracking_number);
    bytes += command.condition.except.size() * sizeof(std::int64_t);
    if (command.condition.only) bytes += command.condition.only->size() * sizeof(std::int64_t);
    return bytes;
}

std::vector<Result<SaveResult>> change_orders(std::span<const ChangeOrder> commands,
                                              OrderStore& store, const Clock& clock, Ids& ids,
                                              const domain::SagaTimeouts& timeouts) {
    std::vector<OrderChange> changes;
    changes.reserve(commands.size());
    for (const ChangeOrder& command : commands) {
        const domain::CommandContext at{clock.now(), command.actor, command.trace, timeouts};
        const domain::SagaId cancellation(ids.next());
        changes.push_back({command.id, ids.next(), "order-api", command.key, command.condition,
                           [&command, cancellation, at](domain::OrderAggregate& record) {
                               return execute(record, command.command, cancellation, at);
                           }});
    }
    return store.update(changes);
}

}  // namespace trackops::order::app
