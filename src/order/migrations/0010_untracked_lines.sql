-- A line of what has no stock, such as a gift card or a service: nothing is reserved for it.
ALTER TABLE order_items ADD COLUMN tracked ${boolean} NOT NULL DEFAULT true;
