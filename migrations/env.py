"""Alembic's environment. The URL comes from the caller (`registry.store.schema`), never from a file.

SQLite changes a column by copying the whole table; with foreign keys on, dropping the old copy deletes the
rows that point to it. So they are off while a migration runs, and checked before it is believed.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text

from registry.store.engines import connect_arguments


def run(connection: Connection) -> None:
    """Bring one database to the revision asked for, all or nothing."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("PRAGMA busy_timeout=60000")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    context.configure(
        connection=connection,
        render_as_batch=sqlite,
        transactional_ddl=not sqlite,
        transaction_per_migration=False,
    )
    try:
        with context.begin_transaction():
            if not sqlite:  # of the transaction, not of the session: a pooler may be in between
                connection.execute(text("SELECT pg_advisory_xact_lock(7235938)"))
                # Who waits for a table makes all wait who come later; see registry.store.schema.
                connection.execute(text("SET LOCAL lock_timeout = '250ms'"))
            context.run_migrations()
        if sqlite:
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if orphans:
                raise RuntimeError(
                    f"this migration would leave rows without what they belong to: {orphans[:5]}"
                )
            connection.exec_driver_sql("COMMIT")
    except BaseException:
        if sqlite:
            connection.exec_driver_sql("ROLLBACK")
        raise


url = context.config.attributes["url"]
engine = create_engine(url, poolclass=pool.NullPool, connect_args=connect_arguments(url))
with engine.connect() as connection:
    run(connection)
    if connection.dialect.name != "sqlite":
        connection.commit()
engine.dispose()
