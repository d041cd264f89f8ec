-- Lists of orders by a SKU and by the time of the last change. An index of orders.updated_at would cost every change of an order: an update
-- that touches no indexed column leaves all indexes alone. The history only grows at its end.
CREATE INDEX order_items_sku ON order_items (sku, order_id);
CREATE INDEX order_history_time ON order_history (occurred_at, order_id) WHERE type NOT IN ('RESERVATION_RETRIED', 'RELEASE_RETRIED');
