"""docs/security.md and SECURITY.md are held to the repository, and to the standards that they speak of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import chain

import pytest

from scripts.check_locks import ROOT

DOCUMENTS = {name: (ROOT / name).read_text() for name in ("docs/security.md", "SECURITY.md")}
DOCUMENT = DOCUMENTS["docs/security.md"]

QUOTED = re.compile(r"`([^`\n]+)`")
LINKED = re.compile(r"\]\(([^)#\s]*)(#[\w-]+)?\)")
TEST = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")
FOLDERS = ("clients/", "deploy/", "docs/", "migrations/", "registry/", "requirements/", "scripts/", "tests/")
FILES = (".dockerignore", "Dockerfile", "Makefile", "SECURITY.md", "openapi.yaml", "pyproject.toml")

FLOWS = "PWRKCHIMDBAELONS"
"""The data flows, by the letters with which the identifiers of their threats begin."""

ASVS = (
    "1.1:1-2 1.2:1-9 1.3:1-11 1.4:1-3 1.5:1-2 2.1:1-3 2.2:1-3 2.3:1-4 2.4:1 3.2:1-2 3.3:1-4 3.4:1-6 3.5:1-5 "
    "3.7:1-2 4.1:1-3 4.2:1 4.3:1-2 4.4:1-4 5.1:1 5.2:1-3 5.3:1-2 5.4:1-3 6.1:1-3 6.2:1-12 6.3:1-4 6.4:1-4 "
    "6.5:1-5 6.6:1-3 6.8:1-4 7.1:1-3 7.2:1-4 7.3:1-2 7.4:1-5 7.5:1-2 7.6:1-2 8.1:1-2 8.2:1-3 8.3:1 8.4:1 "
    "9.1:1-3 9.2:1-4 10.1:1-2 10.2:1-2 10.3:1-4 10.4:1-11 10.5:1-5 10.6:1-2 10.7:1-3 11.1:1-2 11.2:1-3 "
    "11.3:1-3 11.4:1-4 11.5:1 11.6:1 12.1:1-3 12.2:1-2 12.3:1-4 13.1:1 13.2:1-5 13.3:1-2 13.4:1-5 14.1:1-2 "
    "14.2:1-4 14.3:1-3 15.1:1-3 15.2:1-3 15.3:1-7 16.1:1 16.2:1-5 16.3:1-4 16.4:1-3 16.5:1-3 17.1:1 17.2:1-4 "
    "17.3:1-2"
)
"""The requirements of the levels 1 and 2 of OWASP ASVS 5.0.0, by section: 253."""

STATES = frozenset({"met", "partly", "not met", "deployment", "n/a"})


def rows(beginning: str) -> list[list[str]]:
    """The rows of tables whose first cell is as the pattern says, by cell."""
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCUMENT.splitlines()
        if line.startswith("|")
    ]
    return [cells for cells in found if re.fullmatch(beginning, cells[0])]


THREATS = rows(r"[A-Z]\d+")
OPEN = [cells for cells in THREATS if cells[0].startswith("U")]
THREATS = [cells for cells in THREATS if not cells[0].startswith("U")]


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text())
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))


def files_in(text: str) -> Iterator[str]:
    """The files of this repository that a text quotes."""
    for quoted in QUOTED.findall(text):
        if "::" not in quoted and " " not in quoted and (quoted.startswith(FOLDERS) or quoted in FILES):
            yield quoted


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_test_that_is_named_is_there(name: str) -> None:
    named = TEST.findall(DOCUMENTS[name])
    quoted = [each for each in QUOTED.findall(DOCUMENTS[name]) if "::" in each]
    assert len(named) == len(quoted)  # none is written in a way that nobody looks up
    missing = [
        f"{file}::{test}" for file, test in named if not (ROOT / file).is_file() or test not in names_in(file)
    ]
    assert not missing


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_is_named_is_there(name: str) -> None:
    missing = [file for file in files_in(DOCUMENTS[name]) if not (ROOT / file).exists()]
    here = (ROOT / name).parent
    linked = [target for target, _ in LINKED.findall(DOCUMENTS[name]) if "://" not in target]
    missing += [target for target in linked if target and not (here / target).exists()]
    assert not missing


def test_every_link_within_leads_to_a_heading() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", DOCUMENT, re.MULTILINE)
    }
    for text in DOCUMENTS.values():
        targets = {
            anchor[1:] for target, anchor in LINKED.findall(text) if anchor and "operation" not in target
        }
        assert targets <= headings


def test_every_threat_has_a_control_and_a_test_that_tries_it() -> None:
    assert len(THREATS) >= 100
    assert len({cells[0] for cells in THREATS}) == len(THREATS)
    for name, kind, threat, control, tried in THREATS:
        assert kind in "STRIDE", name
        assert threat, name
        assert list(files_in(control)), name
        assert TEST.search(tried), name


def test_every_flow_is_gone_through_and_every_kind_of_threat() -> None:
    assert {cells[0][0] for cells in THREATS} == set(FLOWS)
    assert {cells[1] for cells in THREATS} == set("STRIDE")
    for flow in FLOWS:
        numbers = [int(cells[0][1:]) for cells in THREATS if cells[0][0] == flow]
        assert numbers == list(range(1, len(numbers) + 1)), flow


def test_all_of_the_api_top_ten_is_answered() -> None:
    answered = rows(r"API\d+")
    assert [cells[0] for cells in answered] == [f"API{number}" for number in range(1, 11)]
    assert all(TEST.search(cells[3]) for cells in answered)


def requirements(listed: str) -> Iterator[str]:
    """Of ``1.2.6–1.2.8, 1.3.1``: each."""
    for part in listed.split(", "):
        first, _, last = part.partition("–")
        section, _, number = first.rpartition(".")
        if last:
            assert last.rpartition(".")[0] == section, part
        end = int((last or first).rpartition(".")[2])
        yield from (f"{section}.{each}" for each in range(int(number), end + 1))


def test_no_requirement_of_the_standard_is_passed_over_and_each_answer_has_its_grounds() -> None:
    wanted = set(
        chain.from_iterable(
            (f"{section}.{number}" for number in range(int(span[0]), int(span[-1]) + 1))
            for section, span in (
                (section, numbers.split("-"))
                for section, _, numbers in (e.partition(":") for e in ASVS.split())
            )
        )
    )
    assert len(wanted) == 253
    answered = rows(r"\d+\.\d+\.\d+[–\d., ]*")
    named = [each for cells in answered for each in requirements(cells[0])]
    assert sorted(named) == sorted(set(named))
    assert set(named) == wanted
    for listed, _, state, grounds in answered:
        assert state in STATES, listed
        assert len(grounds) >= 8, listed
        if state in ("met", "partly"):
            shown = TEST.search(grounds) or list(files_in(grounds)) or "](#" in grounds
            assert shown or state == "partly", listed


def test_what_is_open_is_numbered_and_what_is_pointed_to_is_open() -> None:
    assert [cells[0] for cells in OPEN] == [f"U{number}" for number in range(1, len(OPEN) + 1)]
    assert all(len(cells) == 3 and all(cells) for cells in OPEN)
    pointed = set(re.findall(r"\[(U\d+)\]\(#what-is-not-covered\)", DOCUMENT))
    assert pointed <= {cells[0] for cells in OPEN}
