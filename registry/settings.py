"""The only reader of the environment. Each setting is typed, has a safe default and is checked at start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from environs import Env
from marshmallow.validate import Range

PREFIX = "REGISTRY_"


@dataclass(frozen=True)
class Settings:
    """What a deployment may choose.

    :param database_url: where the register is kept: an SQLAlchemy URL of SQLite or PostgreSQL.
    :param replica_urls: PostgreSQL replicas that answer public reads.
    :param public_url: scheme and host under which the public reaches the service; no trailing slash.
    :param contact: where to report a vulnerability, a ``mailto:`` or ``https:`` address.
    :param max_body_bytes: the largest request body, import files excepted.
    :param max_import_bytes: the largest import file.
    :param pool_size: database connections that one process keeps; at least the server's threads.
    :param busy_seconds: how long a write waits for another to finish.
    :param feed_waiters: requests that may wait for events in one process; fewer than the server's threads.
    :param port: the TCP port of ``registry serve``.
    """

    database_url: str = "sqlite:///var/register.db"
    replica_urls: tuple[str, ...] = field(default=())
    public_url: str = "http://localhost:8000"
    contact: str = "mailto:security@registry.example"
    max_body_bytes: int = 1_000_000
    max_import_bytes: int = 200_000_000
    pool_size: int = 8
    busy_seconds: int = 20
    feed_waiters: int = 2
    port: int = 8000


def read_settings(env: Env | None = None) -> Settings:
    """The settings of this process.

    :raises environs.EnvValidationError: naming the variable whose value cannot be right.
    """
    env = env or Env()
    given = Settings()
    port = env.int("PORT", given.port, validate=Range(0, 65535))
    with env.prefixed(PREFIX):
        return Settings(
            database_url=_at_home(env.str("DATABASE_URL", given.database_url)),
            replica_urls=tuple(env.list("REPLICA_URLS", [])),
            public_url=env.str("PUBLIC_URL", f"http://localhost:{port}").rstrip("/"),
            contact=env.str("CONTACT", given.contact),
            max_body_bytes=env.int("MAX_BODY_BYTES", given.max_body_bytes, validate=Range(1_000)),
            max_import_bytes=env.int("MAX_IMPORT_BYTES", given.max_import_bytes, validate=Range(1_000)),
            pool_size=env.int("POOL_SIZE", given.pool_size, validate=Range(1, 500)),
            busy_seconds=env.int("BUSY_SECONDS", given.busy_seconds, validate=Range(1, 600)),
            feed_waiters=env.int("FEED_WAITERS", given.feed_waiters, validate=Range(0, 10_000)),
            port=port,
        )


def _at_home(url: str) -> str:
    """A relative SQLite path is taken from the folder that the process starts in, as a shell would."""
    scheme, marker, path = url.partition(":///")
    if scheme != "sqlite" or not path or path.startswith(("/", ":", "file:")):
        return url
    return f"{scheme}{marker}{Path.cwd() / path}"
