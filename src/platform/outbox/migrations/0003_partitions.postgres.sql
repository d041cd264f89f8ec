-- The outbox by ranges of position, so that what is done with is dropped whole (docs/decisions/0012-roles-and-partitions.md).
-- What an installed database holds becomes the first partition; positions go on where they were.
DO $$
DECLARE
    next bigint;
BEGIN
    LOCK TABLE outbox_events IN ACCESS EXCLUSIVE MODE;
    SELECT last_value + is_called::int INTO next FROM outbox_events_position_seq;
    ALTER TABLE outbox_events ALTER COLUMN position DROP IDENTITY;
    ALTER TABLE outbox_events RENAME TO outbox_events_0;
    ALTER INDEX outbox_events_pkey RENAME TO outbox_events_0_pkey;
    ALTER INDEX outbox_events_xid RENAME TO outbox_events_0_xid;
    CREATE TABLE outbox_events (
        position       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        event_id       ${uuid} NOT NULL,
        aggregate_id   ${uuid} NOT NULL,
        type           ${key} NOT NULL,
        sequence       ${integer} NOT NULL CONSTRAINT outbox_events_sequence_check CHECK (sequence > 0),
        payload        ${json} NOT NULL,
        correlation_id ${key} NOT NULL,
        causation_id   ${key} NOT NULL,
        traceparent    ${key} NOT NULL,
        tracestate     ${key} NOT NULL,
        occurred_at    ${instant} NOT NULL,
        xid            xid8 NOT NULL DEFAULT pg_current_xact_id()
    ) PARTITION BY RANGE (position);
    CREATE INDEX outbox_events_xid ON outbox_events (xid);
    EXECUTE format('ALTER TABLE outbox_events ALTER COLUMN position RESTART WITH %s', next);
    EXECUTE format('ALTER TABLE outbox_events ATTACH PARTITION outbox_events_0 FOR VALUES FROM (0) TO (%s)', next + 1000000);
END
$$;

-- The last defence: an event whose partition nobody has made in time lands here, and is deleted row by row.
CREATE TABLE outbox_events_overflow PARTITION OF outbox_events DEFAULT;

-- lower <= position < upper; without the overflow.
CREATE VIEW outbox_partitions AS
    SELECT each.oid::regclass AS partition,
           substring(bounds FROM 'FROM \(''(\d+)''\)')::bigint AS lower,
           substring(bounds FROM 'TO \(''(\d+)''\)')::bigint AS upper
    FROM (SELECT class.oid, pg_get_expr(class.relpartbound, class.oid) AS bounds
          FROM pg_inherits JOIN pg_class AS class ON class.oid = inhrelid
          WHERE inhparent = 'outbox_events'::regclass) AS each
    WHERE bounds <> 'DEFAULT';

-- Run by the service, which may not touch the table itself, with the owner's rights. Waits for no lock longer than 100 ms.
-- Makes partitions of `width` positions until `ahead` of them are free. ATTACH lets writers go on; only who looks into the overflow
-- waits. When positions come near the last end, nobody may be under way with one that is about to be routed into the overflow:
-- the table is locked, and the new partition begins where it must.
CREATE FUNCTION outbox_make_partitions(width bigint, ahead bigint, OUT made bigint, OUT overflows boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    next bigint;
    first bigint;
    name text;
BEGIN
    made := 0;
    overflows := EXISTS (SELECT FROM outbox_events_overflow);
    IF NOT pg_try_advisory_xact_lock(7226014824) THEN RETURN; END IF;
    SELECT last_value + is_called::int INTO next FROM outbox_events_position_seq;
    LOOP
        SELECT coalesce(max(upper), next) INTO first FROM outbox_partitions;
        EXIT WHEN first >= next + ahead * width;
        IF first < next + width THEN
            LOCK TABLE ONLY outbox_events IN ACCESS EXCLUSIVE MODE;
            SELECT last_value + is_called::int INTO next FROM outbox_events_position_seq;
            first := greatest(first, next);
        END IF;
        name := format('outbox_events_%s', first);
        EXECUTE format('CREATE TABLE %I (LIKE outbox_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format('ALTER TABLE outbox_events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, first, first + width);
        made := made + 1;
    END LOOP;
END
$$;

-- Whether the relay is done with all of it, nothing of it is parked, and none of its last events is younger than `before`.
-- Whatever is below xmin is visible, so the index leaves few to look at. A date beyond `horizon` is a clock gone wrong.
CREATE FUNCTION outbox_is_done(partition regclass, lower bigint, upper bigint, before timestamptz, horizon timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    base pg_snapshot := (SELECT checkpoint.base FROM relay.checkpoint);
    is_done boolean;
BEGIN
    -- Ahead of the database's own transactions: restored elsewhere, the checkpoint says nothing.
    IF base IS NULL OR pg_snapshot_xmax(base) > pg_snapshot_xmax(pg_current_snapshot()) THEN RETURN false; END IF;
    IF EXISTS (SELECT FROM relay.parked_events WHERE position >= lower AND position < upper) THEN RETURN false; END IF;
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %1$s WHERE xid >= pg_snapshot_xmin($1) AND NOT pg_visible_in_snapshot(xid, $1))
                       AND NOT EXISTS (SELECT FROM (SELECT occurred_at FROM %1$s ORDER BY position DESC LIMIT 100) AS last
                                       WHERE occurred_at >= $2 AND occurred_at < $3)', partition)
        INTO is_done USING base, before, horizon;
    RETURN is_done;
END
$$;

-- Drops one partition that is done, and returns its name. Asked twice: without locks, so that nobody waits for a no; and under the
-- table's lock, which no transaction that has drawn a position and not ended can outlive: whatever the partition will ever hold is seen.
CREATE FUNCTION outbox_drop_partition(before timestamptz, horizon timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    next bigint;
    old record;
    name text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'outbox_drop_partition must see what commits meanwhile: use READ COMMITTED';
    END IF;
    IF NOT pg_try_advisory_xact_lock(7226014824) THEN RETURN NULL; END IF;
    SELECT last_value + is_called::int INTO next FROM outbox_events_position_seq;
    FOR old IN SELECT * FROM outbox_partitions WHERE upper <= next ORDER BY lower LOOP
        CONTINUE WHEN NOT outbox_is_done(old.partition, old.lower, old.upper, before, horizon);
        LOCK TABLE ONLY outbox_events IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT', old.partition);
        IF NOT outbox_is_done(old.partition, old.lower, old.upper, before, horizon) THEN RETURN NULL; END IF;
        name := old.partition::text;
        EXECUTE format('DROP TABLE %s', name);
        RETURN name;
    END LOOP;
    RETURN NULL;
END
$$;

-- The same conditions, row by row: deletes at most `most` of the overflow and returns how many.
CREATE FUNCTION outbox_drain_overflow(before timestamptz, horizon timestamptz, most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '100ms'
SET enable_seqscan = off AS $$
DECLARE
    base pg_snapshot := (SELECT checkpoint.base FROM relay.checkpoint);
    deleted bigint;
BEGIN
    IF base IS NULL OR pg_snapshot_xmax(base) > pg_snapshot_xmax(pg_current_snapshot()) THEN RETURN 0; END IF;
    IF NOT pg_try_advisory_xact_lock(7226014824) THEN RETURN 0; END IF;
    DELETE FROM outbox_events_overflow WHERE position IN (
        SELECT position FROM outbox_events_overflow
        WHERE pg_visible_in_snapshot(xid, base)
          AND position < coalesce((SELECT position FROM outbox_events_overflow
                                   WHERE occurred_at >= before AND occurred_at < horizon
                                   ORDER BY position LIMIT 1), 9223372036854775807)
          AND NOT EXISTS (SELECT FROM relay.parked_events AS parked WHERE parked.position = outbox_events_overflow.position)
        ORDER BY position LIMIT most);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;

REVOKE EXECUTE ON FUNCTION outbox_make_partitions, outbox_is_done, outbox_drop_partition, outbox_drain_overflow FROM PUBLIC;

SELECT made FROM outbox_make_partitions(1000000, 3);
