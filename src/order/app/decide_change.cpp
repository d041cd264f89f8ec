#include "order/app/decide_change.hpp"

#include <utility>

#include <fmt/format.h>

namespace trackops::order::app {

Result<ChangeDecision> decide_change(const OrderChange& change, const ChangeState& state) {
    if (state.recorded) {
        RecordedResponse recorded = TRY(*state.recorded);
        return ChangeDecision{{{}, std::move(recorded)}};
    }
    if (state.record == nullptr) return fail(Errc::not_found, "no order has this id");
    domain::OrderAggregate& record = *state.record;
    if (state.was_handled) return ChangeDecision{{record.order, {}}};
    if (!change.condition.holds_for(record.order.version)) {
        return fail(Errc::precondition_failed,
                    fmt::format("the order is at version {}", record.order.version));
    }
    TRY(change.change(record));
    return ChangeDecision{{record.order, {}}, true};
}

}  // namespace trackops::order::app
