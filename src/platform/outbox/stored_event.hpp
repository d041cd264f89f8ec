// An event as it stands in outbox_events and among the parked events.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "platform/outbox/event.hpp"
#include "platform/sql/database.hpp"

namespace trackops::outbox {

struct StoredEvent {
    // The order within a key. Positions of transactions that overlapped say nothing about order.
    std::int64_t position = 0;
    Event event;
};

// Reads position, event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id,
// traceparent, tracestate, occurred_at from column `first` on.
StoredEvent stored_event(const sql::Row& row, std::size_t first = 0);
std::vector<StoredEvent> stored_events(const std::vector<sql::Row>& rows);

// The same columns as parameters, without the position.
sql::Params event_params(const Event& event);

}  // namespace trackops::outbox
