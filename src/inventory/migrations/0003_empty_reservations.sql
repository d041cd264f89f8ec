-- The number of SKUs that a reservation began with, 0 when all lines of its order are untracked: nothing is held then, and the order is
-- answered all the same. NULL where nothing was reserved, and in rows of older versions, which had at least one.
ALTER TABLE inventory_reservations ADD COLUMN sku_count ${integer};
