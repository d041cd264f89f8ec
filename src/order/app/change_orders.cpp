#include "order/app/change_orders.hpp"

namespace trackops::order::app {
namespace {

std::size_t bytes_in(const std::optional<std::string>& text) { return text ? text->size() : 0; }

Result<void> run(domain::OrderAggregate& record, const ChangeOrder& command,
                 domain::SagaId cancellation, const domain::CommandContext& at) {
    if (const auto* details = std::get_if<ChangeDetails>(&command.command)) {
        const domain::OrderDetails wanted = TRY(details->wanted(domain::details_of(record.order)));
        return change_details(record, wanted, at);
    }
    return execute(record, std::get<domain::Command>(command.command), cancellation, at);
}

}  // namespace

std::size_t bytes_of(const ChangeOrder& command) {
    std::size_t bytes = sizeof command;
    if (const auto* details = std::get_if<ChangeDetails>(&command.command)) {
        bytes += details->bytes;
    } else {
        const auto& action = std::get<domain::Command>(command.command);
        bytes += action.reason.size();
        if (const auto& shipment = action.shipment)
            bytes += bytes_in(shipment->carrier) + bytes_in(shipment->tracking_number);
    }
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
                               return run(record, command, cancellation, at);
                           },
                           command.act});
    }
    return store.update(changes);
}

}  // namespace trackops::order::app
