// The columns of an event, as every reader of outbox_events and of the parked events selects them.
#pragma once
#include "platform/relay/source.hpp"

namespace trackops::outbox {

// Reads position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
// traceparent, tracestate, occurred_at from column `first` on.
StoredEvent stored_event(const sql::Row& row, std::size_t first = 0);
std::vector<StoredEvent> stored_events(const std::vector<sql::Row>& rows);

// The same columns as parameters, without the position.
sql::Params event_params(const Event& event);

}  // namespace trackops::outbox
