-- The transaction that wrote the row: what snapshot windows are made of. The top-level one, also within savepoints.
ALTER TABLE outbox_events ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX outbox_events_xid ON outbox_events (xid);

-- All that the relay writes.
CREATE SCHEMA relay;

-- Published or parked is what base sees, and of what target sees besides, the positions up to cursor.
CREATE TABLE relay.checkpoint (
    id     ${integer} PRIMARY KEY CHECK (id = 1),
    base   pg_snapshot NOT NULL,
    target pg_snapshot,
    cursor ${integer} NOT NULL
);

-- Events that the bus refused (with a reason), and later ones of their keys, which wait behind them (reason '').
CREATE TABLE relay.parked_events (
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
CREATE INDEX parked_events_key ON relay.parked_events (aggregate_id, position);

CREATE TABLE relay.lease (
    id         ${integer} PRIMARY KEY CHECK (id = 1),
    holder     ${key} NOT NULL,
    expires_at ${instant} NOT NULL
);
