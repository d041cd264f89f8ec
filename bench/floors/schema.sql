-- The floors' tables: what an order and a reservation need at the least, smaller than the product's. Run afresh before each floor.
DROP SCHEMA IF EXISTS floors CASCADE;
CREATE SCHEMA floors;
SET search_path = floors;
CREATE TYPE order_status AS ENUM ('PENDING', 'CONFIRMED', 'CANCELLED');
CREATE TABLE orders (
    id uuid PRIMARY KEY, customer_id uuid NOT NULL, status order_status NOT NULL, total_cents bigint NOT NULL, version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
    ship_name text, street text, city text, state text, postal_code text, country text);
CREATE INDEX orders_customer ON orders (customer_id, created_at);
CREATE TABLE order_items (
    order_id uuid NOT NULL REFERENCES orders, product_id text NOT NULL, qty int NOT NULL, unit_cents bigint NOT NULL,
    PRIMARY KEY (order_id, product_id));
CREATE TABLE outbox_events (
    id bigserial PRIMARY KEY, aggregate_id uuid NOT NULL, event_type text NOT NULL, payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), processed bool NOT NULL DEFAULT false);
CREATE INDEX outbox_todo ON outbox_events (id) WHERE NOT processed;
CREATE TABLE saga_instances (
    id uuid PRIMARY KEY, order_id uuid NOT NULL, state text NOT NULL, version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX saga_open ON saga_instances (updated_at) WHERE state NOT IN ('DONE', 'FAILED');
CREATE TABLE saga_steps (
    saga_id uuid NOT NULL REFERENCES saga_instances, step int NOT NULL, name text NOT NULL, status text NOT NULL,
    PRIMARY KEY (saga_id, step));
CREATE TABLE inventory_items (
    sku text PRIMARY KEY, available int NOT NULL CHECK (available >= 0), reserved int NOT NULL DEFAULT 0, version bigint NOT NULL DEFAULT 1)
    WITH (fillfactor = 50);
CREATE TABLE reservations (
    id uuid PRIMARY KEY, order_id uuid NOT NULL, sku text NOT NULL, qty int NOT NULL, status text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX reservations_order ON reservations (order_id);
CREATE TABLE processed_events (event_id uuid PRIMARY KEY, processed_at timestamptz NOT NULL DEFAULT now());
INSERT INTO inventory_items VALUES ('SKU-0', 1000000000);
CHECKPOINT;
