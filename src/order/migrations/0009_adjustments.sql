-- Discounts, taxes and fees: [{kind, label, amount}], and the sum of the amounts, which counts into total_amount. NULL where there are none.
ALTER TABLE orders ADD COLUMN adjustments ${json};
ALTER TABLE orders ADD COLUMN adjustment_amount ${integer};
