#!/bin/sh
# Run once, when the database is made: an account that may do nothing but follow what is written, and a slot so that what
# the replica has not seen yet is kept for it (no more than max_slot_wal_keep_size).
set -eu

: "${REPLICATION_PASSWORD:?}"

psql --set=ON_ERROR_STOP=1 --set=password="$REPLICATION_PASSWORD" \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD :'password';
SELECT pg_create_physical_replication_slot('replica');
SQL

echo "host replication replicator all scram-sha-256" >> "$PGDATA/pg_hba.conf"
