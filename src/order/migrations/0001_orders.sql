-- No foreign keys inside the aggregate: it is only ever written as one (docs/decisions/0004-tables.md).
CREATE TABLE customers (
    id         ${uuid} NOT NULL PRIMARY KEY,
    name       ${key},
    email      ${key},
    phone      ${key},
    version    ${integer} NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at ${instant} NOT NULL,
    updated_at ${instant} NOT NULL
) ${table};
CREATE UNIQUE INDEX customers_email ON customers (email) WHERE email IS NOT NULL;

CREATE TABLE addresses (
    id          ${uuid} NOT NULL PRIMARY KEY,
    customer_id ${uuid} NOT NULL REFERENCES customers (id),
    recipient   ${key},
    line1       ${key} NOT NULL,
    line2       ${key},
    city        ${key} NOT NULL,
    region      ${key},
    postal_code ${key} NOT NULL,
    country     ${key} NOT NULL CHECK (length(country) = 2),
    phone       ${key},
    version     ${integer} NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at  ${instant} NOT NULL,
    updated_at  ${instant} NOT NULL
) ${table};
CREATE INDEX addresses_customer ON addresses (customer_id);

-- id is a UUIDv7 of created_at, so the primary key serves "newest first". version counts what a client can see, revision every save.
CREATE TABLE orders (
    id                    ${uuid} NOT NULL PRIMARY KEY,
    customer_id           ${uuid} NOT NULL,
    status                ${key} NOT NULL
        CHECK (status IN ('PENDING', 'CONFIRMED', 'PROCESSING', 'SHIPPED', 'DELIVERED', 'CANCELLED')),
    currency              ${key} NOT NULL CHECK (length(currency) = 3),
    total_amount          ${integer} NOT NULL CHECK (total_amount >= 0),
    shipping_amount       ${integer} CHECK (shipping_amount >= 0),
    shipping_address      ${json} NOT NULL,
    shipping_address_id   ${uuid},
    delivery_instructions ${key},
    external_ref          ${key},
    metadata              ${json},
    cancel_reason         ${key},
    carrier               ${key},
    tracking_number       ${key},
    version               ${integer} NOT NULL CHECK (version > 0),
    revision              ${integer} NOT NULL CHECK (revision > 0),
    events_sent           ${integer} NOT NULL CHECK (events_sent > 0),
    created_at            ${instant} NOT NULL,
    updated_at            ${instant} NOT NULL,
    CHECK ((status = 'CANCELLED') = (cancel_reason IS NOT NULL))
) ${table};
CREATE INDEX orders_customer ON orders (customer_id, id);
CREATE INDEX orders_external_ref ON orders (external_ref) WHERE external_ref IS NOT NULL;

CREATE TABLE order_items (
    order_id    ${uuid} NOT NULL,
    line        ${integer} NOT NULL CHECK (line > 0),
    sku         ${key} NOT NULL,
    name        ${key},
    quantity    ${integer} NOT NULL CHECK (quantity > 0),
    unit_amount ${integer} NOT NULL CHECK (unit_amount >= 0),
    PRIMARY KEY (order_id, line)
) ${table};

CREATE TABLE order_history (
    order_id    ${uuid} NOT NULL,
    version     ${integer} NOT NULL CHECK (version > 0),
    from_status ${key},
    to_status   ${key} NOT NULL,
    reason      ${key} NOT NULL,
    actor       ${key} NOT NULL,
    cause       ${uuid} NOT NULL,
    event_id    ${uuid} NOT NULL,
    occurred_at ${instant} NOT NULL,
    PRIMARY KEY (order_id, version)
) ${table};

-- due_at: when the saga clock must look; pushed on by whoever looks, so that replicas share the work.
CREATE TABLE saga_instances (
    id              ${uuid} NOT NULL PRIMARY KEY,
    type            ${key} NOT NULL CHECK (type IN ('ORDER_FULFILMENT', 'ORDER_CANCELLATION')),
    order_id        ${uuid} NOT NULL,
    status          ${key} NOT NULL CHECK (status IN ('RUNNING', 'COMPLETED', 'COMPENSATING', 'COMPENSATED', 'BLOCKED')),
    deadline_at     ${instant},
    next_attempt_at ${instant},
    due_at          ${instant},
    started_at      ${instant} NOT NULL,
    finished_at     ${instant},
    UNIQUE (order_id, type),
    CHECK ((due_at IS NOT NULL) = (status IN ('RUNNING', 'COMPENSATING')))
) ${table};
CREATE INDEX saga_instances_due ON saga_instances (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE saga_steps (
    saga_id     ${uuid} NOT NULL,
    step        ${integer} NOT NULL CHECK (step > 0),
    name        ${key} NOT NULL,
    status      ${key} NOT NULL CHECK (status IN ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'SKIPPED')),
    attempts    ${integer} NOT NULL CHECK (attempts >= 0),
    started_at  ${instant},
    finished_at ${instant},
    last_error  ${key},
    PRIMARY KEY (saga_id, step)
) ${table};
