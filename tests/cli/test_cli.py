"""The commands, as they are typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, inspect

from registry.cli import COMMANDS, main
from registry.cli import openapi as openapi_command
from tests.support.factories import database, make_body

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)
    return lambda *words: CliRunner().invoke(main, words)


def tables_of(url: str) -> list[str]:
    engine = create_engine(url)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def test_every_command_is_there_and_says_what_it_does() -> None:
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        assert command.help
    assert CliRunner().invoke(main, ["--help"]).exit_code == 0
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2


def test_no_command_is_read_before_it_is_called() -> None:
    for target in COMMANDS.values():
        module, _, name = target.partition(":")
        assert isinstance(getattr(import_module(f"registry.cli.{module}"), name), click.Command)


def test_a_wrong_setting_is_told_by_its_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_POOL_SIZE", "many")
    result = run("keys", "list")
    assert result.exit_code == 1
    assert "POOL_SIZE" in result.output
    assert "Traceback" not in result.output


def test_migrate_up_and_down(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", empty_database_url)
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    assert "bodies" in tables_of(empty_database_url)
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    assert CliRunner().invoke(main, ["migrate", "--down", "base"]).exit_code == 0
    assert "bodies" not in tables_of(empty_database_url)


def test_a_key_is_made_listed_and_revoked(run: Run, database_url: str) -> None:
    with database(database_url) as engine, engine.begin() as tx:
        make_body(tx, "ca-own")
    made = run(
        "keys", "create", "--role", "registrar", "--body", "ca-own", "--label", "M. Reyes", "--days", "90"
    )
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    assert re.fullmatch("ndl_[a-z2-7]{10}_[A-Za-z0-9_-]{43}", secret)
    (line,) = run("keys", "list", "--body", "ca-own").stdout.splitlines()
    key_id, prefix, holder, scopes, state, label = line.split("\t")
    assert secret.startswith(prefix.removesuffix("..."))
    assert (holder, scopes, label) == ("registrar of ca-own", "all", "M. Reyes")
    assert state.startswith("never used, expires ")
    assert run("keys", "revoke", key_id).exit_code == 0
    assert "revoked" in run("keys", "list").stdout
    assert run("keys", "revoke", key_id).exit_code == 1


def test_a_key_is_narrowed_and_rotated(run: Run) -> None:
    words = ("--role", "operator", "--label", "Importer", "--scope", "import", "--scope", "read", "--quiet")
    secret = run("keys", "create", *words).stdout.strip()
    (line,) = run("keys", "list").stdout.splitlines()
    key_id, prefix, _, scopes, _, _ = line.split("\t")
    assert scopes == "import,read"
    rotated = run("keys", "rotate", key_id, "--overlap-hours", "2")
    assert rotated.exit_code == 0, rotated.output
    assert "the one before is good until" in rotated.output
    assert rotated.stdout.strip() != secret
    assert rotated.stdout.startswith(prefix.removesuffix("..."))
    assert run("keys", "rotate", key_id, "--overlap-hours", "721").exit_code != 0
    assert run("keys", "revoke", key_id).exit_code == 0
    assert run("keys", "rotate", key_id).exit_code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--role", "clinic", "--label", "x", "--scope", "decide"), "no use for decide"),
        (("--role", "clinic", "--label", "x", "--scope", "everything"), "everything"),
        (("--role", "registrar", "--label", "x"), "needs a body"),
        (("--role", "registrar", "--body", "nowhere", "--label", "x"), "No body"),
        (("--role", "operator", "--body", "nowhere", "--label", "x"), "has no body"),
        (("--role", "emperor", "--label", "x"), "emperor"),
        (("--role", "operator"), "--label"),
    ],
)
def test_a_key_that_could_not_be_right_is_not_made(run: Run, words: tuple[str, ...], told: str) -> None:
    result = run("keys", "create", *words)
    assert result.exit_code != 0
    assert told in result.output
    assert "Traceback" not in result.output
    assert run("keys", "list").stdout == ""


def test_the_description_is_written_and_checked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "openapi.yaml"
    monkeypatch.setattr(openapi_command, "FILE", kept)
    assert run("openapi", "--check").exit_code == 1
    assert run("openapi", "--write").exit_code == 0
    assert run("openapi", "--check").exit_code == 0
    assert run("openapi").stdout == kept.read_text()
    kept.write_text(kept.read_text().replace("/v1/bodies:", "/v1/corpora:"))
    result = run("openapi", "--check")
    assert result.exit_code == 1
    assert "+  /v1/bodies:" in result.output
