"""The units: systemd takes them, their commands are ours, and its sockets are the server's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from configparser import RawConfigParser
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.settings import Settings
from tests.deploy.conftest import DEPLOY, assert_known_command, settings_of
from tests.serving.conftest import VERIFICATION, fill
from tests.support.serving import PATIENCE, ROOT, ask, eventually, free_port
from tests.support.tools import tool

UNITS = sorted((DEPLOY / "systemd").glob("registry*"))
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
PREFIX = "/opt/registry/bin/"


def lines(unit: Path, name: str) -> list[str]:
    """The values of a directive, which may stand several times."""
    return [line.partition("=")[2] for line in unit.read_text().splitlines() if line.startswith(f"{name}=")]


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze", "systemd")
    here = {PREFIX: f"{Path(sys.executable).parent}/", "file:/opt/registry": f"file:{ROOT}"}
    for unit in UNITS:
        text = unit.read_text()
        for shipped, found in here.items():
            text = text.replace(shipped, found)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [analyze, "verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS)],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_commands_are_ours_and_may_do_little(unit: Path) -> None:
    for command in (*lines(unit, "ExecStart"), *lines(unit, "ExecReload")):
        if command.startswith(f"{PREFIX}registry "):
            assert_known_command(command)
        else:
            assert command in (
                f"{PREFIX}python -m gunicorn --config python:registry.http.serving",
                "/bin/kill -HUP $MAINPID",
            )
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names of directives have capitals
    parser.read(unit)
    service = dict(parser["Service"])
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "LockPersonality"):
        assert service[name] == "yes", name
    assert (service["User"], service["ProtectSystem"]) == ("registry", "strict")
    assert service["CapabilityBoundingSet"] == ""
    if "TimeoutStopSec" in service:
        assert int(service["TimeoutStopSec"]) > Settings().graceful_seconds


def test_mistaken_settings_end_a_reload_before_the_server_is_told() -> None:
    reloads = lines(DEPLOY / "systemd" / "registry.service", "ExecReload")
    assert reloads == [f"{PREFIX}registry settings", "/bin/kill -HUP $MAINPID"]


@contextmanager
def activated(folder: Path, url: str, *ports: int) -> Iterator[None]:
    """The server, on sockets that systemd opened for it."""
    listeners = [word for port in ports for word in ("--listen", f"127.0.0.1:{port}")]
    environment = {"REGISTRY_DATABASE_URL": url, "REGISTRY_METRICS_BIND": f"127.0.0.1:{ports[1]}"}
    assert settings_of(environment).metrics_port == ports[1]
    given = {**environment, "PATH": os.environ["PATH"]}
    listeners += [f"--setenv={name}={value}" for name, value in given.items()]
    command = [tool("systemd-socket-activate", "systemd"), *listeners]
    command += [sys.executable, "-m", "gunicorn", "--config", "python:registry.http.serving"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        eventually(lambda: "Listening on" in (folder / "log").read_text(), "nothing listens")
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_the_server_answers_on_the_sockets_that_systemd_holds(sqlite_url: str, tmp_path: Path) -> None:
    fill(sqlite_url)
    ports = free_port(), free_port()
    with activated(tmp_path, sqlite_url, *ports):
        assert ask(ports[0], VERIFICATION).status == 200
        assert ask(ports[0], "/metrics").status == 404
        assert ask(ports[1], "/metrics").status == 200
        assert ask(ports[1], VERIFICATION).status == 404


def test_its_sockets_are_those_of_the_settings() -> None:
    public, metrics = lines(DEPLOY / "systemd" / "registry.socket", "ListenStream")
    read = settings_of({"REGISTRY_METRICS_BIND": metrics})
    assert public == f"{read.host}:{read.port}"
    assert metrics in (DEPLOY.parent / "docs" / "operation.md").read_text()
