#include "inventory/app/handle_order_events.hpp"

namespace trackops::inventory::app {

std::vector<Result<Handled>> handle_order_events(std::span<const IncomingMessage> messages,
                                                 ReservationStore& store, const Clock& clock,
                                                 Ids& ids) {
    const Instant now = clock.now();
    const auto step = [&](domain::Reservation& reservation, domain::Shelves& shelves,
                          const domain::OrderMessage& message) {
        const domain::Occasion occasion{domain::ReservationId(ids.next()), now};
        return ReservationStore::Step{decide(reservation, shelves, message, occasion), ids.next()};
    };
    return store.handle(messages, step, now);
}

}  // namespace trackops::inventory::app
