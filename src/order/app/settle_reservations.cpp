#include "order/app/settle_reservations.hpp"

namespace trackops::order::app {

std::vector<Result<SaveResult>> settle_reservations(std::span<const ReservationReply> replies,
                                                    OrderStore& store, const Clock& clock,
                                                    const domain::SagaTimeouts& timeouts) {
    std::vector<OrderChange> changes;
    changes.reserve(replies.size());
    for (const ReservationReply& reply : replies) {
        const domain::CommandContext at{clock.now(), "inventory", reply.trace, timeouts};
        changes.push_back({reply.id,
                           reply.message,
                           "trackops-orders",
                           {},
                           {},
                           [answer = reply.answer, at, shortages = reply.shortages](
                               domain::OrderAggregate& record) -> Result<void> {
                               apply_reservation_outcome(record, answer, at, shortages);
                               return {};
                           }});
    }
    return store.update(changes);
}

}  // namespace trackops::order::app
