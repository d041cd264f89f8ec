-- The history becomes the list of an order's domain events. A row is keyed by the order's revision: `version` grows only with what GET
-- shows, `sequence` only with what the world hears (it is that of the public event `event_id`; version 0.1 did not record it).
-- `payload` stands only where the type has data, and names no person. `causation_id` is absent where it is the correlation id.
ALTER TABLE order_history RENAME TO order_history_0_1;
CREATE TABLE order_history (
    order_id       ${uuid} NOT NULL,
    revision       ${integer} NOT NULL CHECK (revision > 0),
    version        ${integer} NOT NULL CHECK (version > 0),
    type           ${key} NOT NULL,
    status         ${key} NOT NULL,
    sequence       ${integer} CHECK (sequence > 0),
    event_id       ${uuid},
    payload        ${json},
    actor          ${key} NOT NULL,
    correlation_id ${key} NOT NULL,
    causation_id   ${key},
    occurred_at    ${instant} NOT NULL,
    PRIMARY KEY (order_id, revision)
) ${table};
INSERT INTO order_history (order_id, revision, version, type, status, event_id, payload, actor, correlation_id, occurred_at)
SELECT order_id, version, version,
       CASE to_status WHEN 'PENDING' THEN 'ORDER_PLACED' WHEN 'CONFIRMED' THEN 'ORDER_CONFIRMED' WHEN 'PROCESSING' THEN 'PROCESSING_STARTED'
                      WHEN 'SHIPPED' THEN 'ORDER_SHIPPED' WHEN 'DELIVERED' THEN 'ORDER_DELIVERED' ELSE 'ORDER_CANCELLED' END,
       to_status, event_id,
       CASE WHEN to_status = 'CANCELLED' THEN CAST('{"reason":"' || reason || '"}' AS ${json}) END,
       actor, CAST(cause AS TEXT), occurred_at
FROM order_history_0_1;
DROP TABLE order_history_0_1;
-- 0.1 counted one revision for several changes that were saved together.
UPDATE orders SET revision = version WHERE revision < version;
