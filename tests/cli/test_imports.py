"""Imports and exports, as they are typed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from registry.cli import main
from registry.services.import_profiles import built_in
from tests.support.sheets import PROFILE, csv_file, people, person

Run = Callable[..., Result]
BODY = {"code": "ca-xx", "name": "College XX", "jurisdiction": "CA-AB", "zone": "America/Edmonton"}


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "ours.json"
    path.write_text(json.dumps({**PROFILE, "body": BODY}))
    return path


@pytest.fixture
def snapshot(tmp_path: Path) -> Callable[..., Path]:
    def write(rows, name="register.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(csv_file(rows).getvalue())
        return path

    return write


def told(result: Result) -> dict[str, str]:
    """What a command printed, by its first column."""
    return dict(line.split("\t", 1) for line in result.stdout.splitlines() if "\t" in line)


def test_a_register_is_imported_and_its_body_made_from_the_profile(run, profile, snapshot):
    result = run("import", snapshot(people(3)), "--profile", profile)
    assert result.exit_code == 0, result.output
    assert (told(result)["new"], told(result)["rejected"]) == ("3", "0")
    again = run("import", snapshot(people(3)), "--profile", profile)
    assert (told(again)["new"], told(again)["unchanged"]) == ("0", "3")


def test_a_dry_run_only_tells(run, profile, snapshot):
    result = run("import", snapshot(people(3)), "--profile", profile, "--dry-run", "--on", "2026-03-01")
    assert told(result)["new"] == "3"
    assert told(result)["import"].endswith("previewed")
    import_id = told(result)["import"].split("\t")[0]
    assert told(run("imports", "apply", import_id))["new"] == "3"
    shown = json.loads(run("imports", "show", import_id).stdout)
    assert (shown["state"], shown["new"]) == ("applied", 3)


def test_rejected_rows_are_told_and_written_to_be_corrected(run, profile, snapshot, tmp_path):
    rows = [person("1"), person("2", From="31/12/2025")]
    result = run("import", snapshot(rows), "--profile", profile)
    assert result.exit_code == 3
    assert "line 3: From: it is not a day written as YYYY-MM-DD" in result.stderr
    rejected = tmp_path / "rejected.csv"
    run("import", snapshot(rows), "--profile", profile, "--rejected", rejected)
    rejected.write_text(rejected.read_text().replace("31/12/2025", "2025-12-31"))
    corrected = run("import", rejected, "--profile", profile, "--partial")
    assert corrected.exit_code == 0, corrected.output
    assert told(corrected)["new"] == "1"
    assert "vanished" not in told(corrected)


def test_imports_are_listed_and_reversed(run, profile, snapshot):
    import_id = told(run("import", snapshot(people(2)), "--profile", profile))["import"].split("\t")[0]
    assert run("imports", "list", "--body", "ca-xx").stdout.split("\t")[0] == import_id
    assert told(run("imports", "reverse", import_id))["import"] == f"{import_id}\treversed"
    assert run("imports", "list", "--body", "nowhere").exit_code == 2
    assert run("imports", "reverse", import_id).exit_code == 1


def test_an_export_imports_again_without_difference(run, profile, snapshot, tmp_path):
    run("import", snapshot(people(4)), "--profile", profile)
    for form in ("csv", "ndjson"):
        file = tmp_path / f"export.{form}"
        assert run("export", "--body", "ca-xx", "--format", form, "-o", file).exit_code == 0
        assert run("export", "--body", "ca-xx", "--format", form).stdout_bytes == file.read_bytes()
        again = run("import", file, "--profile", "export", "--body", "ca-xx")
        assert told(again)["unchanged"] == "4", again.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--profile", "nowhere"], "No profile is called nowhere"),
        (["--profile", "export"], "names no body"),
        (["--profile", "export", "--body", "nowhere"], "No regulatory body"),
        (["--profile", "washington_health"], "lacks columns"),
        (["--profile", "missing.toml"], "cannot be read"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(run, snapshot, words, said):
    result = run("import", snapshot(people(1)), *words)
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_profile_may_be_toml(run, snapshot, tmp_path):
    text = 'columns = { number = "No", family = "Family" }\n[body]\n'
    text += "".join(f'{name} = "{value}"\n' for name, value in BODY.items())
    path = tmp_path / "ours.toml"
    path.write_text(text)
    assert tomllib.loads(text)["body"] == BODY
    assert told(run("import", snapshot(people(1)), "--profile", path))["new"] == "1"
    path.write_text("columns = ")
    assert "not TOML" in run("import", snapshot(people(1)), "--profile", path).output


def test_every_profile_that_comes_along_names_its_body_or_is_for_exports():
    for name in ("washington_health", "connecticut", "iowa_public_adjusters", "us_nppes"):
        document = built_in(name)
        assert document is not None
        assert document["body"]["code"]
