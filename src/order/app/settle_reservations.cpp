#include "order/app/settle_reservations.hpp"

namespace trackops::order::app {

std::vector<Result<Receipt>> settle_reservations(std::span<const ReservationReply> replies,
                                                 OrderStore& store, const Clock& clock,
                                                 const domain::Patience& patience) {
    std::vector<OrderChange> changes;
    changes.reserve(replies.size());
    for (const ReservationReply& reply : replies) {
        const domain::Circumstances at{clock.now(), "inventory", reply.trace, patience};
        changes.push_back(
            {reply.id,
             reply.message,
             "trackops-orders",
             {},
             {},
             [answer = reply.answer, at](domain::OrderRecord& record) -> Result<void> {
                 settle(record, answer, at);
                 return {};
             }});
    }
    return store.update(changes);
}

}  // namespace trackops::order::app
