-- The tables of 0001 had UUIDs as the ids of customers, and no program has written to them. A shop's customers have ids of its own.
-- The folded columns hold the texts with the case of their letters folded, for the search.
DROP TABLE addresses;
DROP TABLE customers;

CREATE TABLE customers (
    id           ${key} NOT NULL PRIMARY KEY,
    name         ${key},
    name_folded  ${key},
    email        ${key},
    email_folded ${key},
    phone        ${key},
    metadata     ${json},
    version      ${integer} NOT NULL CHECK (version > 0),
    created_at   ${instant} NOT NULL,
    updated_at   ${instant} NOT NULL,
    CHECK ((name IS NULL) = (name_folded IS NULL) AND (email IS NULL) = (email_folded IS NULL))
) ${table};
CREATE INDEX customers_email ON customers (email_folded, id) WHERE email_folded IS NOT NULL;

CREATE TABLE addresses (
    id          ${uuid} NOT NULL PRIMARY KEY,
    customer_id ${key} NOT NULL REFERENCES customers (id),
    label       ${key},
    recipient   ${key},
    line1       ${key} NOT NULL,
    line2       ${key},
    city        ${key} NOT NULL,
    region      ${key},
    postal_code ${key} NOT NULL,
    country     ${key} NOT NULL CHECK (length(country) = 2),
    phone       ${key},
    is_default  ${boolean} NOT NULL,
    version     ${integer} NOT NULL CHECK (version > 0),
    created_at  ${instant} NOT NULL,
    updated_at  ${instant} NOT NULL
) ${table};
CREATE INDEX addresses_customer ON addresses (customer_id, id);
CREATE UNIQUE INDEX addresses_default ON addresses (customer_id) WHERE is_default;
