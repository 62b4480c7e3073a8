#!/bin/sh
# A replica: a copy of the database when it starts for the first time, from then on whatever is written there.
set -eu

: "${PGDATA:?}" "${PRIMARY_HOST:?}" "${PGPASSWORD:?}"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    chmod 0700 "$PGDATA"
    # What a copy that broke off has left.
    find "$PGDATA" -mindepth 1 -delete
    pg_basebackup --host "$PRIMARY_HOST" --port "${PRIMARY_PORT:-5432}" --username replicator \
        --pgdata "$PGDATA" --write-recovery-conf --wal-method stream --slot replica --checkpoint fast
fi

# hot_standby_feedback: what is being read here is not cleared away there.
exec postgres -D "$PGDATA" -c hot_standby=on -c hot_standby_feedback=on "$@"
