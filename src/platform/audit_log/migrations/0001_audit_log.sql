-- Who did what, for people who look back. Append-only: the roles of the services may not change or delete a row, and each row has
-- the hash of the one before it, so that a change by somebody who may is seen.
CREATE TABLE audit_log (
    position       ${integer} PRIMARY KEY CHECK (position > 0),
    at             ${instant} NOT NULL,
    service        ${key} NOT NULL,
    actor          ${key} NOT NULL,
    address        ${key} NOT NULL,
    action         ${key} NOT NULL,
    subject        ${key} NOT NULL,
    outcome        ${key} NOT NULL,
    occurrences    ${integer} NOT NULL CHECK (occurrences > 0),
    correlation_id ${key} NOT NULL,
    previous_hash  ${key} NOT NULL,
    hash           ${key} NOT NULL
);

-- The last row. It is locked by each transaction that appends, as the last of its locks.
CREATE TABLE audit_head (
    id       ${integer} PRIMARY KEY CHECK (id = 1),
    position ${integer} NOT NULL,
    hash     ${key} NOT NULL
);
INSERT INTO audit_head (id, position, hash) VALUES (1, 0, '');
