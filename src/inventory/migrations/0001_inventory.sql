-- The checks are the last defence against overselling: no statement can pass them, whoever sends it.
CREATE TABLE inventory_items (
    sku                 ${key} NOT NULL PRIMARY KEY,
    name                ${key} NOT NULL,
    description         ${key},
    category            ${key},
    unit_amount         ${integer} CHECK (unit_amount >= 0),
    currency            ${key},
    low_stock_threshold ${integer} CHECK (low_stock_threshold >= 0),
    on_hand             ${integer} NOT NULL CHECK (on_hand >= 0),
    reserved            ${integer} NOT NULL CHECK (reserved >= 0),
    version             ${integer} NOT NULL CHECK (version > 0),
    created_at          ${instant} NOT NULL,
    updated_at          ${instant} NOT NULL,
    CHECK (reserved <= on_hand),
    CHECK ((unit_amount IS NULL) = (currency IS NULL))
) ${table};
CREATE INDEX inventory_items_category ON inventory_items (category, sku);

-- One row an order id that anything was heard of; owner and expires_at are for holds without an order.
CREATE TABLE inventory_reservations (
    id         ${uuid} NOT NULL PRIMARY KEY,
    order_id   ${uuid} UNIQUE,
    owner      ${key},
    status     ${key} NOT NULL
               CHECK (status IN ('RESERVED', 'REFUSED', 'RELEASED', 'FULFILLED', 'EXPIRED', 'CANCELLED_FIRST')),
    reason     ${key} NOT NULL,
    shortages  ${json} NOT NULL,
    replies    ${integer} NOT NULL CHECK (replies >= 0),
    expires_at ${instant},
    created_at ${instant} NOT NULL,
    updated_at ${instant} NOT NULL,
    CHECK (order_id IS NOT NULL OR owner IS NOT NULL)
) ${table};
CREATE INDEX inventory_reservations_status ON inventory_reservations (status, id);

CREATE TABLE inventory_reservation_items (
    reservation_id ${uuid} NOT NULL,
    sku            ${key} NOT NULL,
    quantity       ${integer} NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (reservation_id, sku)
) ${table};
CREATE INDEX inventory_reservation_items_sku ON inventory_reservation_items (sku, reservation_id);

-- The ledger: its deltas of a SKU sum up to what is on hand.
CREATE TABLE stock_movements (
    position      ${identity},
    sku           ${key} NOT NULL,
    delta         ${integer} NOT NULL CHECK (delta <> 0),
    on_hand_after ${integer} NOT NULL CHECK (on_hand_after >= 0),
    reason        ${key} NOT NULL,
    order_id      ${uuid},
    created_at    ${instant} NOT NULL
);
CREATE INDEX stock_movements_sku ON stock_movements (sku, position);
