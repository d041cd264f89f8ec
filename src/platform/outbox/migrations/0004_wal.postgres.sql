-- What the relay's source `wal` reads (docs/decisions/0011-wal-source.md). Without wal_level=logical it is of no use and does no harm.
CREATE PUBLICATION trackops_outbox FOR TABLE outbox_events WITH (publish = 'insert', publish_via_partition_root = true);

-- All that committed before it in the log is published or parked; of the next transaction with events, the positions up to cursor.
-- NULL: nothing is known but base, target and cursor.
ALTER TABLE relay.checkpoint ADD COLUMN lsn pg_lsn;
