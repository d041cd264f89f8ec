-- Each order and each saga step is updated soon after its insert. With room left on its page the new version lies beside the old one
-- and no index hears of it (a HOT update): measured, 85 of 100 updates instead of 30.
ALTER TABLE orders SET (fillfactor = 60);
ALTER TABLE saga_steps SET (fillfactor = 60);
