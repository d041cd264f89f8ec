-- The roles of one of our databases. A superuser runs it in each, before or after the first migration, and may run it again:
--   createdb trackops; psql -d trackops -f servers/roles.sql; and the same for trackops_inventory.
--   NAME_owner    owns everything in it: migrations and grants run as this role
--   NAME_service  reads and writes the service's tables; changes no schema, and no event once it is written
--   NAME_relay    reads the outbox, writes schema relay and appends to the audit log. REPLICATION is for its source `wal`. Know what that gives away: through a
--                 replication connection another output plugin shows every change of every table, and pg_basebackup copies the
--                 cluster. A relay that polls needs none of it: ALTER ROLE NAME_relay NOREPLICATION.
-- The services grant the rights on tables when they migrate (src/platform/outbox/grants.hpp).
-- Passwords: \password NAME_service in psql, which sends and logs none in the clear.
DO $$
DECLARE
    name text := current_database();
    owner text := name || '_owner';
    service text := name || '_service';
    relay text := name || '_relay';
    role text;
    statement text;
BEGIN
    FOREACH role IN ARRAY ARRAY[owner, service, relay] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role);
            IF role = relay THEN EXECUTE format('ALTER ROLE %I REPLICATION', role); END IF;
        END IF;
    END LOOP;
    EXECUTE format('ALTER DATABASE %I OWNER TO %I', name, owner);
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', name);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I, %I', name, service, relay);
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    ALTER SCHEMA public OWNER TO pg_database_owner;
    -- Objects that were made before there were roles.
    FOR statement IN
        SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, owner) FROM pg_namespace WHERE nspname = 'relay'
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO %I', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass, owner)
        FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'relay')) AND relkind IN ('r', 'p', 'v')
            AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
        UNION ALL
        SELECT format('ALTER FUNCTION %s OWNER TO %I', oid::regprocedure, owner)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
        UNION ALL
        SELECT format('ALTER PUBLICATION %I OWNER TO %I', pubname, owner) FROM pg_publication WHERE pubname LIKE 'trackops%'
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
