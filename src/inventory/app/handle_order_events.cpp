#include "inventory/app/handle_order_events.hpp"

namespace trackops::inventory::app {

std::vector<Result<MessageResult>> handle_order_events(std::span<const IncomingMessage> messages,
                                                       ReservationStore& store, const Clock& clock,
                                                       Ids& ids) {
    const Instant now = clock.now();
    const auto step = [&](domain::Reservation& reservation, domain::StockLevels& stock_levels,
                          const domain::OrderMessage& message) {
        const domain::CommandContext context{domain::ReservationId(ids.next()), now};
        return ReservationStore::Step{decide(reservation, stock_levels, message, context),
                                      ids.next()};
    };
    return store.handle(messages, step, now);
}

}  // namespace trackops::inventory::app
