-- Insert-only; deleted behind the relay's checkpoint. position orders the events of one key.
CREATE TABLE outbox_events (
    position       ${identity},
    event_id       ${uuid} NOT NULL,
    aggregate_id   ${uuid} NOT NULL,
    type           ${key} NOT NULL,
    sequence       ${integer} NOT NULL CHECK (sequence > 0),
    payload        ${json} NOT NULL,
    correlation_id ${key} NOT NULL,
    causation_id   ${key} NOT NULL,
    traceparent    ${key} NOT NULL,
    tracestate     ${key} NOT NULL,
    occurred_at    ${instant} NOT NULL
);

-- The inbox: which messages a consumer has handled.
CREATE TABLE processed_events (
    event_id     ${uuid} NOT NULL,
    consumer     ${key} NOT NULL,
    processed_at ${instant} NOT NULL,
    PRIMARY KEY (event_id, consumer)
) ${table};
CREATE INDEX processed_events_age ON processed_events (processed_at);
