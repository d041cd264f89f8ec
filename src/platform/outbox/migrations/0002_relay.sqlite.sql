-- All that the relay writes. One writer: whatever stands at or below position is published or parked.
CREATE TABLE relay_checkpoint (
    id       ${integer} PRIMARY KEY CHECK (id = 1),
    position ${integer} NOT NULL
);

-- Events that the bus refused (with a reason), and later ones of their keys, which wait behind them (reason '').
CREATE TABLE relay_parked_events (
    position       ${integer} PRIMARY KEY,
    event_id       ${uuid} NOT NULL UNIQUE,
    aggregate_id   ${uuid} NOT NULL,
    type           ${key} NOT NULL,
    sequence       ${integer} NOT NULL,
    payload        ${json} NOT NULL,
    correlation_id ${key} NOT NULL,
    causation_id   ${key} NOT NULL,
    traceparent    ${key} NOT NULL,
    tracestate     ${key} NOT NULL,
    occurred_at    ${instant} NOT NULL,
    reason         ${key} NOT NULL,
    parked_at      ${instant} NOT NULL
);
CREATE INDEX relay_parked_events_key ON relay_parked_events (aggregate_id, position);

CREATE TABLE relay_lease (
    id         ${integer} PRIMARY KEY CHECK (id = 1),
    holder     ${key} NOT NULL,
    expires_at ${instant} NOT NULL
);
