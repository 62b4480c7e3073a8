"""Files are read as they are: every cell of every kind of CSV, and nothing lost to a row that is broken."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import Invalid
from registry.sheets import workbooks
from registry.sheets.csv_rows import MOST_LINES
from registry.sheets.lines import LONGEST_LINE
from registry.sheets.reading import BadRow, Layout, open_sheet
from registry.sheets.writing import csv_text
from tests.support.sheets import ndjson_file, xlsx_file


def read(content: bytes | str, **layout) -> tuple[list[str], list]:
    data = content.encode() if isinstance(content, str) else content
    sheet = open_sheet(io.BytesIO(data), Layout(**layout))
    return sheet.header, list(sheet.rows)


def cells(content: bytes | str, **layout) -> list[list[str]]:
    header, rows = read(content, **layout)
    assert not any(isinstance(row, BadRow) for row in rows), rows
    return [header, *(row[1] for row in rows)]


# The cases of the collection csv-spectrum, in words of our own.
SPECTRUM = {
    "comma in quotes": ('a,b\nx,"p, q"\n', [["x", "p, q"]]),
    "empty cells": ('a,b,c\n1,"",""\n2,3,4', [["1", "", ""], ["2", "3", "4"]]),
    "empty cells, CRLF": ('a,b,c\r\n1,"",""\r\n2,3,4', [["1", "", ""], ["2", "3", "4"]]),
    "escaped quotes": ('a,b\n1,"ha ""ha"" ha"\n3,4\n', [["1", 'ha "ha" ha'], ["3", "4"]]),
    "JSON in a cell": ('key,val\n1,"{""t"": [102.0, 0.5]}"\n', [["1", '{"t": [102.0, 0.5]}']]),
    "newlines in cells": (
        'a,b,c\n"Once \na time",5,6\n7,8,9\n',
        [["Once \na time", "5", "6"], ["7", "8", "9"]],
    ),
    "newlines in cells, CRLF": (
        'a,b\r\n"Once \r\na time",5\r\n7,8\r\n',
        [["Once \r\na time", "5"], ["7", "8"]],
    ),
    "quotes and newlines": ('a,b\n1,"ha \n""ha"" \nha"\n3,4\n', [["1", 'ha \n"ha" \nha'], ["3", "4"]]),
    "simple": ("a,b,c\n1,2,3\n", [["1", "2", "3"]]),
    "simple, CRLF": ("a,b,c\r\n1,2,3\r\n", [["1", "2", "3"]]),
    "UTF-8": ("a,b,c\n4,5,ʤ", [["4", "5", "ʤ"]]),
}


@pytest.mark.parametrize("case", SPECTRUM)
def test_csv_is_read_as_written(case: str) -> None:
    content, expected = SPECTRUM[case]
    assert cells(content)[1:] == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_encoding_that_marks_itself_or_is_utf8_is_found(encoding: str) -> None:
    assert cells("Name,Ort\nZoë,Łódź\n".encode(encoding)) == [["Name", "Ort"], ["Zoë", "Łódź"]]


def test_a_mark_that_was_saved_as_text_is_no_part_of_a_name() -> None:
    assert cells("\ufeffName,Ort\nZoë,Łódź\n".encode("utf-8-sig")) == [["Name", "Ort"], ["Zoë", "Łódź"]]


def test_what_is_not_utf8_is_taken_for_windows_1252() -> None:
    assert cells("Name,Ort\nZoë,“Köln”\n".encode("cp1252"))[1] == ["Zoë", "“Köln”"]


def test_a_declared_encoding_is_believed() -> None:
    assert cells("Name\nŁódź\n".encode("cp1250"), encoding="cp1250")[1] == ["Łódź"]


def test_a_damaged_byte_costs_its_own_row_only() -> None:
    _, rows = read(b"a,b\n1,2\n3,\xff\n5,6\n", encoding="utf-8")
    assert [row if isinstance(row, tuple) else row.line for row in rows] == [
        (2, ["1", "2"]),
        3,
        (4, ["5", "6"]),
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(ending: str) -> None:
    assert cells(ending.join(["a,b", "1,2", "3,4", ""])) == [["a", "b"], ["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_columns_wanted(delimiter: str) -> None:
    content = f"No{delimiter}Family, Given{delimiter}City\n"
    header, _ = read(content.replace(", ", " "), columns=("No", "City"))
    assert header == ["No", "Family Given", "City"]


def test_the_delimiter_that_excel_declares_is_used() -> None:
    assert cells("sep=;\na;b\n1;2\n") == [["a", "b"], ["1", "2"]]


def test_a_missing_quotation_mark_costs_its_own_row_only() -> None:
    lines = [f"{n},x" for n in range(2 * MOST_LINES)]
    lines[3] = '3,"never closed'
    _, rows = read("\n".join(["a,b", *lines, ""]))
    bad = [row for row in rows if isinstance(row, BadRow)]
    assert [(b.line, b.cells) for b in bad] == [(5, ['3,"never closed'])]
    assert "quotation mark" in bad[0].problem
    assert len(rows) == len(lines)


def test_text_after_a_closing_quotation_mark_is_refused() -> None:
    _, rows = read('a,b\n"x"y,1\n2,3\n')
    assert isinstance(rows[0], BadRow)
    assert rows[1] == (3, ["2", "3"])


@pytest.mark.parametrize("row", ["1", "1,2,3,4", '"1\n2"'])
def test_a_row_of_another_width_is_told(row: str) -> None:
    _, rows = read(f"a,b\n{row}\n5,6\n")
    assert isinstance(rows[0], BadRow)
    assert rows[0].line == 2
    assert rows[1][1] == ["5", "6"]


def test_empty_cells_beyond_the_header_do_no_harm() -> None:
    assert cells("a,b\n1,2,,\n") == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize("content", ["a,b\n\n , \n1,2\n\n", "\n\na,b\n1,2\n"])
def test_blank_lines_are_passed_over(content: str) -> None:
    rows = [row for row in cells(content) if any(cell.strip() for cell in row)]
    assert rows == [["a", "b"], ["1", "2"]]


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    _, rows = read('a,b\n1,"x\ny"\n3,4\n')
    assert [row[0] for row in rows] == [2, 4]


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x1b", "\x7f", "\ufffe"])
def test_control_characters_are_refused(control: str) -> None:
    _, rows = read(f"a,b\nx{control},1\n2,3\n")
    assert isinstance(rows[0], BadRow)
    assert rows[1] == (3, ["2", "3"])


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01\x02\n", b" , \n1,2\n"])
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        read(content)


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(Invalid, match="longer than"):
        read(b"a,b\n" + b"x" * (LONGEST_LINE + 10))


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"])), min_size=2, max_size=2
        )
    )
)
def test_what_is_written_is_read_back(rows: list[list[str]]) -> None:
    rows = [row for row in rows if any(row)]
    content = "".join(csv_text([["a", "b"], *rows]))
    assert cells(content)[1:] == rows


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "''-x", "'t Hooft", "O'Brien"),
        *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", "'\uff1d1"),  # of full width
    ],
)
def test_formulas_are_neutralised_and_restored(text: str) -> None:
    written = "".join(csv_text([["a", "b"], [text, "x"]])).splitlines()[1]
    assert not written.lstrip('"').startswith(
        ("=", "+", "-", "@", "\t", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    )
    assert cells(f"a,b\n{written}\n")[1] == [text, "x"]


def test_a_workbook_is_read_by_its_types() -> None:
    rows = [
        {
            "n": 12,
            "f": 1.5,
            "d": date(2026, 3, 1),
            "m": datetime.combine(date(2026, 3, 1), time.min),
            "b": True,
            "t": "Zoë",
            "e": None,
        }
    ]
    file = xlsx_file(rows, header=("n", "f", "d", "m", "b", "t", "e"))
    sheet = open_sheet(file, Layout())
    assert sheet.header == ["n", "f", "d", "m", "b", "t", "e"]
    assert list(sheet.rows) == [(2, ["12", "1.5", "2026-03-01", "2026-03-01", "true", "Zoë", ""])]


def test_a_sheet_is_chosen_by_name() -> None:
    file = xlsx_file([{"a": "1"}], header=("a",), title="Register")
    assert open_sheet(file, Layout(sheet="Register")).header == ["a"]
    file.seek(0)
    with pytest.raises(Invalid, match="Register"):
        open_sheet(file, Layout(sheet="Other"))


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_BYTES", 1000)
    with pytest.raises(Invalid, match="unpacks"):
        open_sheet(xlsx_file([{"a": "1"}], header=("a",)), Layout())


@pytest.mark.parametrize("content", [b"PK\x03\x04rubbish", b"\xd0\xcf\x11\xe0old"])
def test_what_only_looks_like_a_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        read(content)


def test_another_zip_is_no_workbook() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(Invalid, match=r"no [.]xlsx"):
        read(file.getvalue())


def test_lines_of_json_are_rows() -> None:
    sheet = open_sheet(
        ndjson_file([{"a": 1, "b": "x"}, {"b": None, "a": [1, 2]}]), Layout(columns=("a", "c"))
    )
    assert sheet.header == ["a", "b", "c"]
    assert list(sheet.rows) == [(1, ["1", "x", ""]), (2, ["[1, 2]", "", ""])]


@pytest.mark.parametrize("line", ["[1]", "{", '{"a": 1}}', "1"])
def test_a_line_that_is_no_object_costs_itself_only(line: str) -> None:
    good = json.dumps({"a": "1"})
    _, rows = read(f"{good}\n{line}\n{good}\n")
    assert [isinstance(row, BadRow) for row in rows] == [False, True, False]
