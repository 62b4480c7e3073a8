"""Databases for every test.

A test that takes `database_url` runs twice, on SQLite and on PostgreSQL, each time with a database of its own
that holds the newest schema and no rows. `empty_database_url` does the same without the schema. `sqlite_url`
and `postgresql_url` are for what concerns one engine only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support import run_directory
from tests.support.databases import Databases, PostgresDatabases, SqliteDatabases, drop_template
from tests.support.postgres import PostgresUnavailableError, find_server

pytest_plugins = ["tests.support.figures"]

REQUIRED = "REGISTRY_TEST_REQUIRE_POSTGRES"
MISSING = "no PostgreSQL: "


def pytest_configure(config: pytest.Config) -> None:
    if not _is_worker(config):
        run_directory.create()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        drop_template(run_directory.path())
        run_directory.remove()


def _is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of several that pytest-xdist started; all share one folder."""
    return hasattr(config, "workerinput")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report for report in terminalreporter.getreports("skipped") if MISSING in str(report.longrepr)]
    if skipped:
        terminalreporter.section("PostgreSQL was NOT tested", red=True, bold=True)
        terminalreporter.write_line(f"{len(skipped)} tests were skipped for want of a PostgreSQL server.")
        terminalreporter.write_line(f"{REQUIRED}=1 makes this a failure.")


def _upgrade(url: str) -> None:
    from registry.store.schema import upgrade

    upgrade(url)


@pytest.fixture(scope="session")
def sqlite_databases() -> SqliteDatabases:
    return SqliteDatabases(run_directory.path(), _upgrade)


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[PostgresDatabases]:
    try:
        server = find_server(run_directory.path())
    except PostgresUnavailableError as error:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{MISSING}{error}", pytrace=False)
        pytest.skip(f"{MISSING}{error}")
    databases = PostgresDatabases(server, run_directory.path(), _upgrade)
    yield databases
    databases.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Makes as many databases as a test needs, on the engine that it runs on."""
    made: Databases = request.getfixturevalue(f"{request.param}_databases")
    return made


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    with databases.migrated() as url:
        yield url


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    with databases.empty() as url:
        yield url


@pytest.fixture
def sqlite_url(sqlite_databases: SqliteDatabases) -> Iterator[str]:
    with sqlite_databases.migrated() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_databases: PostgresDatabases) -> Iterator[str]:
    with postgresql_databases.migrated() as url:
        yield url
