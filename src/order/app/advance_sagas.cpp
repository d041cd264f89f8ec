#include "order/app/advance_sagas.hpp"

namespace trackops::order::app {

Result<std::vector<domain::Order>> advance_sagas(const SagaRound& round, OrderStore& store,
                                                 const Clock& clock, Ids& ids,
                                                 const domain::Patience& patience) {
    const std::vector<domain::OrderId> due =
        TRY(store.claim_due(clock.now(), round.lease, round.limit));
    if (due.empty()) return std::vector<domain::Order>();
    const Duration lag = round.relay_lag();
    std::vector<OrderChange> changes;
    changes.reserve(due.size());
    for (const domain::OrderId id : due) {
        const Uuid cause = ids.next();
        const domain::Circumstances at{
            clock.now(), "saga", {cause.text(), cause.text(), "", ""}, patience};
        changes.push_back({id,
                           cause,
                           "saga-clock",
                           {},
                           {},
                           [at, lag](domain::OrderRecord& record) -> Result<void> {
                               look_at_clock(record, lag, at);
                               return {};
                           }});
    }
    std::vector<domain::Order> orders;
    for (auto& receipt : store.update(changes)) {
        // One that could not be saved now is due again after its lease.
        if (receipt) orders.push_back(std::move(receipt->order));
    }
    return orders;
}

}  // namespace trackops::order::app
