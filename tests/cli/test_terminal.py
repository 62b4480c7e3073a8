"""What a register keeps is shown by a terminal, and obeyed by none."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from registry.cli import main
from registry.cli.terminal import JOINERS, LAYOUT, UNPRINTED, escaped, on_one_line
from tests.support.factories import database, make_body
from tests.support.sheets import HEADER, PROFILE, csv_file, person

Run = Callable[..., Result]
TURNED = "Ana\u202e\u2069avliS\u009b31m\U000e0041"


def obeyed(text: str) -> list[str]:
    """The characters in it that a terminal would obey."""
    kept = LAYOUT + JOINERS
    return [c for c in text if c not in kept and unicodedata.category(c) in UNPRINTED]


@given(st.text())
def test_nothing_that_is_printed_is_obeyed(text: str) -> None:
    assert obeyed(escaped(text)) == []
    assert "\n" not in on_one_line(text)
    assert "\r" not in on_one_line(text)
    assert escaped(escaped(text)) == escaped(text)


@given(st.recursive(st.text(), lambda below: st.lists(below) | st.dictionaries(st.text(), below)))
def test_json_that_is_printed_stays_the_same_json(value) -> None:
    assert json.loads(escaped(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize("text", ["Zoë O’Brien-Łukasz", "مریم علی\u200cپور", "田中 花子", "a\tb\n"])
def test_names_in_every_script_are_printed_as_they_are(text: str) -> None:
    assert escaped(text) == text


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)
    with database(database_url) as engine, engine.begin() as tx:
        make_body(tx, "ca-own", name=f"College {TURNED}")

    def called(*words: str) -> Result:
        result = CliRunner().invoke(main, words)
        assert obeyed(result.output) == [], result.output
        return result

    return called


def test_the_label_of_a_key_is_shown(run: Run) -> None:
    assert run("keys", "create", "--role", "clinic", "--label", TURNED).exit_code == 0
    assert "Ana\\u202e\\u2069avliS\\u009b31m\\udb40\\udc41" in run("keys", "list").output


def test_what_is_wrong_with_a_file_is_shown_line_by_line(run: Run, tmp_path: Path) -> None:
    profile, file = tmp_path / "own.json", tmp_path / "register\u202e.csv"
    profile.write_text(json.dumps(PROFILE))
    unread = person("PT-X", Status=f"Word {TURNED.replace(chr(0x9B), '')}")
    wrong = person("PT-Y\r\nline 1: nothing is wrong", Until="\u202enever\r")
    file.write_bytes(csv_file([person("PT-1"), unread, wrong]).getvalue())
    told = run("import", str(file), "--profile", str(profile), "--body", "ca-own")
    assert told.exit_code == 3, told.output
    assert "unmapped word\tWord Ana\\u202e\\u2069avliS" in told.output
    listed = run("imports", "list").output
    assert "register\\u202e.csv" in listed
    shown = json.loads(run("imports", "show", listed.split("\t")[0]).output)
    assert any("\u202e" in word for word in shown["unmapped_words"])


def test_a_refusal_repeats_nothing_that_is_obeyed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    file.write_text(f"{TURNED.replace(chr(0x9B), '')}\n1\n")
    refused = run("import", str(file), "--profile", "export", "--body", "ca-own")
    assert refused.exit_code == 1
    assert "\\u202e" in refused.output
    assert "\\u202e" in run("imports", "list", "--body", "x\u202e").output


def test_the_export_of_the_audit_is_json_all_the_same(run: Run) -> None:
    run("keys", "create", "--role", "clinic", "--label", "Ana\u202eavliS")
    entries = [json.loads(line) for line in run("audit", "export").output.splitlines()]
    assert entries


def test_a_file_holds_what_the_register_keeps(run: Run, tmp_path: Path) -> None:
    profile, file, out = tmp_path / "own.json", tmp_path / "register.csv", tmp_path / "out.csv"
    profile.write_text(json.dumps(PROFILE))
    file.write_bytes(csv_file([person("PT-1", "Silva\u202e")], HEADER).getvalue())
    assert run("import", str(file), "--profile", str(profile), "--body", "ca-own").exit_code == 0
    assert run("export", "--body", "ca-own", "--output", str(out)).exit_code == 0
    assert "Silva\u202e" in out.read_text()
    piped = CliRunner().invoke(main, ["export", "--body", "ca-own"])
    assert piped.stdout_bytes == out.read_bytes()
