-- Room beside each item for its next versions: a hot SKU changes in each batch, and no index should notice.
ALTER TABLE inventory_items SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
