#include "order/app/change_orders.hpp"

namespace trackops::order::app {

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
                               return apply(record, command.command, cancellation, at);
                           }});
    }
    return store.update(changes);
}

}  // namespace trackops::order::app
