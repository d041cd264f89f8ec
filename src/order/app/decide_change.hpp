// The policy of a change: what counts before the order is asked. Pure.
#pragma once
#include <optional>

#include "order/app/ports.hpp"

namespace trackops::order::app {

// The state that a store has loaded for one change.
struct ChangeState {
    // The record of the order, which the change may alter; nullptr when there is no such order.
    domain::OrderAggregate* record = nullptr;
    bool was_handled = false;  // the cause was handled before
    // The response under the idempotency key, or why there is none: Errc::key_reused. Empty without
    // a key and for a key that is new.
    std::optional<Result<RecordedResponse>> recorded;
};

struct ChangeDecision {
    SaveResult answer;
    // Whether the change has run: the store claims the cause, saves the record and records the
    // response under the key.
    bool has_run = false;
};

// Decides the change. The first of these that applies is the answer: the response recorded under
// the key or its refusal; Errc::not_found; the order as it is, when the cause was handled before;
// Errc::precondition_failed; the refusal or the effect of the change itself.
Result<ChangeDecision> decide_change(const OrderChange& change, const ChangeState& state);

}  // namespace trackops::order::app
