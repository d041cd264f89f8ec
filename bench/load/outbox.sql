-- A backlog of :events events of as many orders, 128 a transaction.
SET synchronous_commit = off; -- of the filling only
SELECT set_config('bench.events', :'events', false);
DO $$
DECLARE
    events bigint := current_setting('bench.events')::bigint;
BEGIN
    FOR low IN 1 .. events BY 128 LOOP
        INSERT INTO outbox_events (event_id, aggregate_id, type, sequence, payload, correlation_id, causation_id, traceparent, tracestate, occurred_at)
            SELECT gen_random_uuid(), id, 'ORDER_CREATED', 1,
                   json_build_object('orderId', id, 'version', 1, 'customerId', id, 'currency', 'GBP', 'totalAmount', 14997, 'items',
                                      '[{"sku":"SKU-1","quantity":2,"unitAmount":6499},{"sku":"SKU-2","quantity":1,"unitAmount":1999}]'::json,
                                      'createdAt', '2026-01-01T00:00:00.000000Z'),
                   id::text, id::text, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '', now()
            FROM (SELECT gen_random_uuid() AS id FROM generate_series(low, least(low + 127, events))) AS fresh;
        COMMIT;
    END LOOP;
END
$$;
