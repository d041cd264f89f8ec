-- Fills an order database with :orders old orders, as they stand when everything about them is over: 12 rows each.
SET synchronous_commit = off; -- of the filling only
CREATE TEMP TABLE filled AS
    SELECT number, now() - interval '20 hours' * (1 - number::float8 / :orders) AS at FROM generate_series(1, :orders) AS number;
ALTER TABLE filled ADD id uuid, ADD saga uuid;
UPDATE filled SET id = (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(number::text), 1, 3) || '8'
                        || substr(md5(number::text), 4, 15))::uuid,
                  saga = (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5('s' || number), 1, 3) || '8'
                        || substr(md5('s' || number), 4, 15))::uuid;
INSERT INTO orders (id, customer_id, status, currency, total_amount, shipping_address, version, revision, events_sent, created_at, updated_at)
    SELECT id, ('0190a6de-1f3b-7c55-9f4e-' || lpad(to_hex(number % 100000), 12, '0')), 'CONFIRMED', 'GBP', 14997,
           '{"recipient":"Ada Lovelace","line1":"12 St James Square","city":"London","region":"LDN","postalCode":"SW1Y 4JH","country":"GB"}',
           2, 2, 2, at, at FROM filled ORDER BY id;
INSERT INTO order_items (order_id, line, sku, quantity, unit_amount)
    SELECT id, line, 'SKU-' || (number + 37 * line) % 1000, line, 4999 FROM filled, generate_series(1, 2) AS line ORDER BY id, line;
INSERT INTO order_history (order_id, revision, version, type, status, sequence, event_id, actor, correlation_id, occurred_at)
    SELECT id, version, version, CASE version WHEN 1 THEN 'ORDER_PLACED' ELSE 'ORDER_CONFIRMED' END,
           CASE version WHEN 1 THEN 'PENDING' ELSE 'CONFIRMED' END, version, saga, 'anonymous', saga, at FROM filled, generate_series(1, 2) AS version ORDER BY id, version;
INSERT INTO saga_instances (id, type, order_id, status, started_at, finished_at)
    SELECT saga, 'ORDER_FULFILMENT', id, 'COMPLETED', at, at FROM filled ORDER BY saga;
INSERT INTO saga_steps (saga_id, step, name, status, attempts, started_at, finished_at)
    SELECT saga, step, CASE step WHEN 1 THEN 'reserve' ELSE 'confirm' END, 'DONE', 1, at, at FROM filled, generate_series(1, 2) AS step ORDER BY saga, step;
INSERT INTO idempotency_keys (scope, idempotency_key, fingerprint, status, body, location, etag, expires_at)
    SELECT 'anonymous POST /api/orders', 'filled-' || number, repeat('f', 64), 201, repeat('b', 500), '/api/orders/' || id, '"1"',
           at + interval '24 hours' FROM filled;
INSERT INTO processed_events (event_id, consumer, processed_at) SELECT saga, 'trackops-orders', at FROM filled ORDER BY saga;
VACUUM ANALYZE;
