-- The SKUs for which inventory refused the order: [{sku, requested, available, reason}]. NULL where it did not, and in rows of version 0.1.
ALTER TABLE orders ADD COLUMN cancel_details ${json};
