#include "platform/outbox/stored_event.hpp"

namespace trackops::outbox {

StoredEvent stored_event(const sql::Row& row, std::size_t first) {
    StoredEvent stored;
    stored.position = row.integer(first);
    stored.event.id = row.uuid(first + 1);
    stored.event.key = row.uuid(first + 2);
    stored.event.type = row.text(first + 3);
    stored.event.sequence = row.integer(first + 4);
    stored.event.payload = row.text(first + 5);
    stored.event.correlation_id = row.text(first + 6);
    stored.event.causation_id = row.text(first + 7);
    stored.event.traceparent = row.text(first + 8);
    stored.event.tracestate = row.text(first + 9);
    stored.event.occurred_at = row.instant(first + 10);
    return stored;
}

std::vector<StoredEvent> stored_events(const std::vector<sql::Row>& rows) {
    std::vector<StoredEvent> events;
    events.reserve(rows.size());
    for (const sql::Row& row : rows) events.push_back(stored_event(row));
    return events;
}

sql::Params event_params(const Event& event) {
    return {event.id,
            event.key,
            event.type,
            event.sequence,
            sql::Json{event.payload},
            event.correlation_id,
            event.causation_id,
            event.traceparent,
            event.tracestate,
            event.occurred_at};
}

}  // namespace trackops::outbox
