"""A file costs what a file of its size may cost, whatever is in it; and is refused in a sentence."""

from __future__ import annotations

import io
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from registry.errors import Invalid
from registry.sheets import workbooks
from registry.sheets.reading import LONGEST_ROW, LONGEST_SHOWN, MOST_COLUMNS, BadRow, Layout, open_sheet
from registry.sheets.workbooks import MOST_MEMORY
from tests.support.bombs import HEADER, WORKBOOKS, row, sheet, spoiled, workbook
from tests.support.figures import Figures

ROOT = Path(__file__).parents[2]
MEGABYTE = 1_000_000


def rows_of(content: bytes) -> list[object]:
    return list(open_sheet(io.BytesIO(content), Layout()).rows)


def peak_of_children() -> int:
    """Bytes, of the largest process so far that this one waited for."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


@pytest.mark.parametrize("kind", WORKBOOKS)
def test_a_workbook_that_is_a_bomb_is_refused(kind: str, figures: Figures) -> None:
    content = WORKBOOKS[kind]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Invalid) as refused:
        rows_of(content)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    figures.add("hostile inputs tried", 1)
    assert len(str(refused.value)) < 500
    assert "passwd" not in str(refused.value)
    assert grown * 1024 < 100 * MEGABYTE
    assert peak_of_children() < MOST_MEMORY + 100 * MEGABYTE


def test_a_workbook_that_is_spoiled_anywhere_is_read_or_refused(figures: Figures) -> None:
    whole = workbook(sheet(HEADER, row(2, A="1", B="Ana"), row(3, A="2", B="Zoë")))
    tried = spoiled(whole)
    for content in tried:
        try:
            found = rows_of(content)
        except Invalid:
            continue
        assert len(found) <= 2
    figures.add("hostile inputs tried", len(tried))


def test_a_reader_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_SECONDS", 1)
    with pytest.raises(Invalid, match="more than can be read"):
        rows_of(workbook(sheet(HEADER, "<row><c><v>1</v></c></row>" * 1_000_000)))
    monkeypatch.setattr(workbooks, "MOST_SECONDS", 60)
    monkeypatch.setattr(workbooks, "LONGEST_WAIT", 0)
    with pytest.raises(Invalid, match="more than can be read"):
        rows_of(workbook(sheet(HEADER)))


def test_what_a_reader_writes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook(sheet(HEADER, *(row(n, A=str(n), B="x" * 1000) for n in range(2, 3_000))))
    assert len(rows_of(content)) == 2_998
    monkeypatch.setattr(workbooks, "MOST_OUTPUT", 2 * MEGABYTE)
    with pytest.raises(Invalid, match="more than can be read"):
        rows_of(content)


def test_a_long_cell_costs_its_row_only() -> None:
    long = "x" * 30 * MEGABYTE
    found = rows_of(workbook(sheet(HEADER, row(2, A="1", B=long), row(3, A="2", B="Ana"))))
    assert isinstance(found[0], BadRow)
    assert found[0].cells == ["1", "x" * LONGEST_SHOWN + "…"]
    assert f"{LONGEST_ROW:,}" in found[0].problem
    assert found[1] == (3, ["2", "Ana"])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (",".join(f"c{n}" for n in range(120_000)).encode() + b"\n1\n", "columns"),
        (b"," * 900_000 + b"a\n1\n", "columns"),
        (b'{"' + b'":1,"'.join(b"%d" % n for n in range(90_000)) + b'":1}\n', "columns"),
        (b"No," + b"n" * 600 + b"\n1,2\n", "column name"),
        (b"\n" * 3 * MEGABYTE, "blank lines"),
        (b" \n\t\n" * MEGABYTE + b"No,Name\n", "blank lines"),
        (b"x" * 3 * MEGABYTE, "longer than"),
        (b"No,Name\n" + b'"' + b"y" * 3 * MEGABYTE, "longer than"),
        (b"\xff\xfe" + b"x\x00" * 3 * MEGABYTE, "longer than"),
        (b'{"No":"' + b"x" * 3 * MEGABYTE, "longer than"),
    ],
    ids=[
        "wide",
        "wide and blank",
        "wide JSON",
        "name",
        "blank",
        "blank first",
        "line",
        "quote",
        "UTF-16",
        "JSON",
    ],
)
def test_a_table_that_is_none_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        rows_of(content)


def test_a_row_of_a_hundred_lines_costs_itself_only() -> None:
    found = rows_of(b'No,Name\n1,"' + b"y" * 2000 * 60 + b'\n"\n2,Ana\n' + b'3,"' + b"z\n" * 60 + b'"\n')
    assert [isinstance(one, BadRow) for one in found] == [True, False, False]


def test_a_row_of_many_cells_is_kept_in_part() -> None:
    (bad,) = rows_of(b"No,Name\n" + b"," * 900_000 + b"x\n")
    assert isinstance(bad, BadRow)
    assert len(bad.cells) == MOST_COLUMNS


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"No":1e400}', "not JSON"),
        ('{"No":NaN}', "not JSON"),
        ('{"No":"1","No":"2"}', "not JSON"),
        ('{"No":' + "9" * 5000 + "}", "not JSON"),
        ('{"No":' + "[" * 100_000 + "]" * 100_000 + "}", "not JSON|longer|deep"),
        *(('{"No":' + "[" * depth + "]" * depth + "}", "not JSON|deep") for depth in (5000, 990)),
    ],
)
def test_a_line_of_json_that_means_nothing_costs_itself_only(line: str, problem: str) -> None:
    first, second, third = rows_of(f'{{"No":"1"}}\n{line}\n{{"No":"3"}}\n'.encode())
    assert (first, third) == ((1, ["1"]), (3, ["3"]))
    assert isinstance(second, BadRow)
    assert any(word in second.problem for word in problem.split("|"))


@pytest.mark.parametrize("depth", range(940, 1000, 3))
def test_no_depth_of_nesting_breaks_the_reading(depth: int) -> None:
    content = b'{"No":"1"}\n{"No":' + b"[" * depth + b"]" * depth + b'}\n{"No":"3"}\n'
    assert len(rows_of(content)) == 3


def test_bytes_that_are_no_text_cost_their_own_line_of_json_only() -> None:
    content = b'{"No":"1"}\n{"No":"\xff"}\n{"No":"3"}\n' + b"\xc3" * 10 + b'\n{"No":"5"}\n'
    found = list(open_sheet(io.BytesIO(content), Layout(encoding="utf-8")).rows)
    assert [isinstance(one, BadRow) for one in found] == [False, True, False, True, False]


LITTLE_MEMORY = """
import resource, sys
from registry.errors import Invalid
from registry.sheets.reading import Layout, open_sheet
file = open(sys.argv[1], "rb")
held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 5_000_000,) * 2)
try:
    print(sum(1 for _ in open_sheet(file, Layout()).rows))
except Invalid:
    print("refused")
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory held is read in Linux's /proc")
@pytest.mark.parametrize(
    ("header", "line", "answer"),
    [
        (b"No,Name\n", b"1,Ana\n", "333333"),
        (b"No,Name\n", b"\n", "0"),
        (b"No,Name\n", b'"\n', "500000"),
        (b"\n", b"\n", "refused"),
        (b'{"No":1}\n', b'{"No":2}\n', "222223"),
        (b'{"No":1}\n', b"\n", "1"),
        (b'{"No":1}\n', b"[\n", "1000001"),
    ],
    ids=["rows", "blank rows", "quotes", "blank", "JSON", "blank JSON", "broken JSON"],
)
def test_a_long_file_is_read_in_little_memory(
    tmp_path: Path, header: bytes, line: bytes, answer: str
) -> None:
    file = tmp_path / "long"
    file.write_bytes(header + line * (2 * MEGABYTE // len(line)))
    reader = [sys.executable, "-c", LITTLE_MEMORY, str(file)]
    done = subprocess.run(reader, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.strip() == answer
