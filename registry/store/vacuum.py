"""Giving back what a database has set aside of rows that are gone, so that no byte of them is left in it."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import Engine

from .database import db


def give_back(engine: Engine | None = None) -> None:
    """Write a database anew without what was deleted; it is in use meanwhile, and may take long.

    In PostgreSQL the space is marked as free and used again; ``VACUUM FULL``, which gives it to the disk,
    locks tables, and is for the operator's own hour.

    :param engine: instead of the application's.
    """
    engine = engine or db.engine
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as connection:  # for which no transaction is begun
            cursor = connection.cursor()
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                cursor.execute(statement)
                cursor.fetchall()
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as served:
        served.exec_driver_sql("VACUUM")
