"""How each peer is started: with two processes where it has them, and eight connections at most in each."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from urllib.parse import parse_qs, urlsplit

from bench.servers import Server, free_port, register_counted, running

from . import installing
from .datasette import write_metadata

DATASETTE_NAME = "peers"
"""What Datasette calls the database, whatever its file's name."""
UVICORN = ("--workers", "2", "--no-access-log", "--log-level", "warning")


class CannotServeError(Exception):
    """A server did not come up; says what it said last."""


@contextmanager
def _started(
    name: str, port: int, command: Sequence[str], environment: Mapping[str, str], ready: str = "/healthz"
) -> Iterator[Server]:
    """A server whose words go to a file, so that none pays for a terminal."""
    with TemporaryFile() as log, ExitStack() as stack:
        try:
            server = stack.enter_context(running(name, port, command, environment, ready=ready, log=log))
        except RuntimeError as error:
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines()
            raise CannotServeError(f"{error}: {said[-1] if said else 'and said nothing'}") from error
        yield server


@contextmanager
def _python(
    name: str, module: str, arguments: Sequence[str], environment: Mapping[str, str], ready: str = "/healthz"
) -> Iterator[Server]:
    """A server that is a Python module, in the peers' environment; ``{port}`` stands for its port."""
    port = free_port()
    said = [each.replace("{port}", str(port)) for each in arguments]
    with _started(name, port, [str(installing.python()), "-m", module, *said], environment, ready) as server:
        yield server


@contextmanager
def granian(register: str, _peers: str) -> Iterator[Server]:
    """The register itself, served as docs/operation.md says."""
    with TemporaryDirectory(prefix="registry-bench-") as metrics:
        environment = {"REGISTRY_DATABASE_URL": register, "PROMETHEUS_MULTIPROC_DIR": metrics}
        arguments = (
            *("--interface", "wsgi", "--factory", "--workers", "2", "--blocking-threads", "4"),
            *("--host", "127.0.0.1", "--port", "{port}", "--no-ws", "registry.http.app:create_app"),
        )
        with (
            register_counted(environment) as counted,
            _python("granian", "granian", arguments, counted) as it,
        ):
            yield it


@contextmanager
def fastapi_orm(_register: str, peers: str) -> Iterator[Server]:
    """FastAPI with SQLAlchemy's asynchronous ORM under uvicorn."""
    url = peers.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")
    arguments = ("bench.peers.fastapi_orm:app", "--host", "127.0.0.1", "--port", "{port}", *UVICORN)
    with _python("FastAPI, ORM", "uvicorn", arguments, {"PEER_DATABASE_URL": url}) as server:
        yield server


@contextmanager
def fastapi_asyncpg(_register: str, peers: str) -> Iterator[Server]:
    """FastAPI with asyncpg under uvicorn."""
    arguments = ("bench.peers.fastapi_asyncpg:app", "--host", "127.0.0.1", "--port", "{port}", *UVICORN)
    with _python("FastAPI, asyncpg", "uvicorn", arguments, {"PEER_DATABASE_URL": peers}) as server:
        yield server


@contextmanager
def drf(_register: str, peers: str) -> Iterator[Server]:
    """Django REST Framework under gunicorn."""
    configuration = ("--config", "python:bench.peers.drf_gunicorn", "--bind", "127.0.0.1:{port}")
    arguments = (*configuration, "bench.peers.drf:application")
    with _python("Django REST Framework", "gunicorn", arguments, {"PEER_DATABASE_URL": peers}) as server:
        yield server


@contextmanager
def datasette(_register: str, peers: str) -> Iterator[Server]:
    """Datasette, which is one process."""
    with TemporaryDirectory(prefix="registry-bench-") as folder:
        database, metadata = Path(folder, f"{DATASETTE_NAME}.db"), Path(folder, "metadata.json")
        database.symlink_to(peers.removeprefix("sqlite:///"))
        write_metadata(metadata, DATASETTE_NAME)
        arguments = ("serve", str(database), "--metadata", str(metadata), "--port", "{port}")
        with _python("Datasette", "datasette", arguments, {}, "/-/versions.json") as server:
            yield server


@contextmanager
def directus(_register: str, peers: str) -> Iterator[Server]:
    """Directus, which is one process, with an endpoint of its own for the question."""
    node, cli = installing.directus()
    address, port = urlsplit(peers), free_port()
    with TemporaryDirectory(prefix="registry-bench-") as folder:
        environment = {
            "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "DB_CLIENT": "pg",
            "DB_HOST": parse_qs(address.query)["host"][0],
            "DB_PORT": str(address.port or 5432),
            "DB_USER": address.username or "",
            "DB_PASSWORD": address.password or "",
            "DB_DATABASE": address.path[1:],
            "DB_POOL__MAX": "8",
            "SECRET": "a-secret-of-a-benchmark-that-keeps-none",
            "ADMIN_EMAIL": "bench@example.com",
            "ADMIN_PASSWORD": "nobody-logs-in-here",
            "PACKAGE_FILE_LOCATION": str(installing.DIRECTUS),
            "EXTENSIONS_PATH": str(installing.DIRECTUS / "extensions"),
            "STORAGE_LOCAL_ROOT": folder,
            "LOG_LEVEL": "error",
            "TELEMETRY": "false",
            "SERVE_APP": "false",
            # It would refuse requests while it is busy, which is what is measured.
            "PRESSURE_LIMITER_ENABLED": "false",
        }
        command = [str(node), str(cli)]
        done = subprocess.run(
            [*command, "bootstrap"],
            cwd=installing.DIRECTUS,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stderr + done.stdout).strip().splitlines()
            raise CannotServeError(f"directus bootstrap ended with {done.returncode}: {said[-1:]}")
        with _started("Directus", port, [*command, "start"], environment, "/server/ping") as server:
            yield server
