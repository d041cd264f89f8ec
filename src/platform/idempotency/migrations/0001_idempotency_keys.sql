-- Committed answers by the caller's key, written in the transaction that made them true.
CREATE TABLE idempotency_keys (
    scope           ${key} NOT NULL,
    idempotency_key ${key} NOT NULL,
    fingerprint     ${key} NOT NULL,
    status          ${integer} NOT NULL,
    body            ${key} NOT NULL,
    location        ${key} NOT NULL,
    etag            ${key} NOT NULL,
    expires_at      ${instant} NOT NULL,
    PRIMARY KEY (scope, idempotency_key)
) ${table};
CREATE INDEX idempotency_keys_age ON idempotency_keys (expires_at);
