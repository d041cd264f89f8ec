#!/usr/bin/env bash
# Runs once, when the cluster of docker-compose.yml is made: the two databases and their roles, with the passwords of /secrets.
set -euo pipefail
as_superuser() { psql -X -q -v ON_ERROR_STOP=1 --username postgres --no-password "$@"; }
for database in trackops trackops_inventory; do
    as_superuser --dbname postgres -c "CREATE DATABASE $database"
    as_superuser --dbname "$database" -f /trackops/roles.sql
    for role in owner service relay; do
        # psql reads the file, so that the password stands in no list of processes.
        as_superuser --dbname "$database" <<END
\\set password \`cat /secrets/postgres/${database}_$role\`
ALTER ROLE ${database}_$role PASSWORD :'password';
END
    done
done
