"""The compose file: of the right form, of settings that there are, and without a password of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest
import yaml

from tests.deploy.conftest import DEPLOY, VARIABLES, assert_known_command, settings_of
from tests.support import run_directory
from tests.support.postgres import installations, make_home, where_readable
from tests.support.serving import PATIENCE, eventually, free_port

COMPOSE = DEPLOY / "compose"
TEXT = (COMPOSE / "compose.yaml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name: service for name, service in SERVICES.items() if "needling-registry" in service["image"]}
EXAMPLE = dict(
    line.split("=", 1)
    for line in (COMPOSE / "environment.example").read_text().splitlines()
    if line and not line.startswith("#")
)
PLACEHOLDER = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<rest>[^}]*)\}")


def filled(text: str) -> str:
    """With what somebody may have written into .env."""
    given = {
        **EXAMPLE,
        **{name: "s3cret" for name in EXAMPLE if name.endswith("PASSWORD")},
        "REGISTRY_PUBLIC_URL": "https://registry.example",
        "REGISTRY_CONTACT": "mailto:security@registry.example",
    }
    return PLACEHOLDER.sub(lambda match: given[match["name"]], text)


def test_it_is_a_compose_file() -> None:
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(FILE, json.loads(schema.read_text()))


@pytest.mark.parametrize("name", OURS)
def test_settings_and_commands_are_ours(name: str) -> None:
    environment = {key: filled(value) for key, value in OURS[name]["environment"].items()}
    assert environment.keys() <= VARIABLES
    read = settings_of(environment)
    assert read.replica_urls
    if "command" in OURS[name]:
        assert_known_command(OURS[name]["command"])


def test_all_that_a_register_needs_is_there() -> None:
    commands = {tuple(service.get("command", ["serve"])[:2]) for service in OURS.values()}
    beside = {("registry", name) for name in ("migrate", "deliver", "sweep", "work", "notices")}
    assert commands == {("serve",), *beside}
    assert {"database", "replica", "proxy"} <= SERVICES.keys()
    for name in ("database", "replica", "service", "proxy"):
        assert "test" in SERVICES[name]["healthcheck"], name


def test_nothing_has_a_password_until_it_is_given_one() -> None:
    secrets = [match for match in PLACEHOLDER.finditer(TEXT) if "PASSWORD" in match["name"]]
    assert {match["name"] for match in secrets} == {name for name in EXAMPLE if "PASSWORD" in name}
    assert all(match["rest"] == ":?" for match in secrets)
    assert all(not value for name, value in EXAMPLE.items() if "PASSWORD" in name)
    assert {match["name"] for match in PLACEHOLDER.finditer(TEXT)} == EXAMPLE.keys()


def test_only_nginx_is_reached_from_outside_and_only_who_must_reaches_outside() -> None:
    assert FILE["networks"]["inside"] == {"internal": True}
    usual = {name: service for name, service in SERVICES.items() if "profiles" not in service}
    assert [name for name, service in usual.items() if "ports" in service] == ["proxy"]
    assert {name for name in usual if "outside" in usual[name]["networks"]} == {"proxy", "deliver"}


def test_containers_of_ours_may_do_little() -> None:
    for name in (*OURS, "proxy"):
        service = SERVICES[name]
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_who_is_told_to_end_is_given_the_time() -> None:
    for name in ("service", "deliver", "sweep", "work", "notices"):
        environment = {key: filled(value) for key, value in OURS[name]["environment"].items()}
        assert int(OURS[name]["stop_grace_period"].rstrip("s")) > settings_of(environment).graceful_seconds


def test_files_are_there_and_versions_are_named() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (COMPOSE / source).exists(), volume
            else:
                assert source in FILE["volumes"], volume
        assert re.search(":[^:]+$", service["image"]), name
        assert not service["image"].endswith(":latest"), name


def test_nginx_is_the_one_proxy_that_is_believed_and_finds_the_service() -> None:
    assert OURS["service"]["environment"]["REGISTRY_TRUSTED_HOPS"] == "1"
    assert "server service:8000" in (COMPOSE / "upstream.conf").read_text()
    here, there = ((folder / "upstream.conf").read_text() for folder in (COMPOSE, DEPLOY / "nginx"))
    moved = here.replace("service:8000", "127.0.0.1:8000")
    assert moved.partition("upstream")[2] == there.partition("upstream")[2]


@dataclass
class Machine:
    """PostgreSQL in a folder, as one of the containers has it."""

    home: Path
    binaries: Path
    account: Mapping[str, Any]
    port: int = field(default_factory=free_port)

    def run(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        path = f"{self.binaries}:{os.environ['PATH']}"
        own = {"PATH": path, "PGDATA": str(self.home / "data"), "LC_ALL": "C"}
        with (self.home.parent / f"{self.home.name}.log").open("a") as log:
            return subprocess.Popen(
                command, env={**own, **environment}, cwd=self.home, stdout=log, stderr=log, **self.account
            )

    def done(self, *command: str, **environment: str) -> None:
        code = self.run(*command, **environment).wait(PATIENCE)
        assert code == 0, (self.home.parent / f"{self.home.name}.log").read_text()

    def ask(self, statement: str) -> Any:
        where = f"host={self.home} port={self.port} user=registry dbname=registry"
        with psycopg.connect(where, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
        return None if row is None else row[0]

    def answers(self, statement: str, wanted: Any) -> bool:
        try:
            return bool(self.ask(statement) == wanted)
        except psycopg.OperationalError:
            return False


@pytest.fixture
def machines(postgresql_databases: object) -> Iterator[tuple[Machine, Machine]]:
    """Two, where there is a PostgreSQL at all."""
    assert postgresql_databases
    _, binaries = next(installations())
    homes = [run_directory.path() / f"compose-{name}-{os.getpid()}" for name in ("primary", "replica")]
    primary, replica = (
        Machine(home, where_readable(binaries, home, account), account) for home, account in _made(homes)
    )
    for machine in (primary, replica):
        for script in ("primary.sh", "replica.sh"):
            shutil.copy(COMPOSE / script, machine.home / script)
    try:
        yield primary, replica
    finally:
        for machine in (replica, primary):
            if (machine.home / "data" / "postmaster.pid").exists():
                machine.run("pg_ctl", "stop", "-w", "-m", "immediate").wait(PATIENCE)
            shutil.rmtree(machine.home, ignore_errors=True)


def _made(homes: list[Path]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for home in homes:
        yield home, make_home(home)


def listening(machine: Machine) -> tuple[str, ...]:
    settings = {
        "port": str(machine.port),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(machine.home),
        "fsync": "off",
    }
    return tuple(f"--{name}={value}" for name, value in settings.items())


def test_the_replica_copies_the_database_once_and_follows_it(machines: tuple[Machine, Machine]) -> None:
    """The scripts of the two containers, run as the image runs them."""
    primary, replica = machines
    word = "s3cret"
    primary.done("initdb", "--username", "registry", "--auth-local", "trust", "--auth-host", "scram-sha-256")
    serving = primary.run("postgres", *listening(primary))
    eventually(lambda: can_create(primary), "the database does not start")
    own = {"POSTGRES_USER": "registry", "POSTGRES_DB": "registry", "PGHOST": str(primary.home)}
    primary.done("sh", "primary.sh", **own, PGPORT=str(primary.port), REPLICATION_PASSWORD=word)
    primary.done("pg_ctl", "reload")
    primary.ask("CREATE TABLE kept AS SELECT 1 AS n")
    start = ("sh", "replica.sh", *listening(replica))
    where = {"PRIMARY_HOST": "127.0.0.1", "PRIMARY_PORT": str(primary.port), "PGPASSWORD": word}
    for rows in (2, 3):
        following = replica.run(*start, **where)
        eventually(lambda: replica.answers("SELECT pg_is_in_recovery()", True), "the replica does not start")
        primary.ask("INSERT INTO kept VALUES (2)")
        eventually(partial(replica.answers, "SELECT count(*) FROM kept", rows), "it does not follow")
        assert primary.ask("SELECT active FROM pg_replication_slots WHERE slot_name = 'replica'") is True
        following.send_signal(signal.SIGINT)
        assert following.wait(PATIENCE) == 0
    serving.send_signal(signal.SIGINT)
    assert serving.wait(PATIENCE) == 0
    log = (replica.home.parent / f"{replica.home.name}.log").read_text()
    assert "password authentication failed" not in log


def can_create(primary: Machine) -> bool:
    own = ("--host", str(primary.home), "--port", str(primary.port), "--username", "registry")
    return primary.run("createdb", *own, "registry").wait(PATIENCE) == 0
