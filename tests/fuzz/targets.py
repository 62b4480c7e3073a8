"""What is fuzzed, and what holds of it for any bytes whatever.

A target takes bytes and raises where its invariant is broken; what is declared for wrong input breaks none.
"""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from flask import Flask

from registry.cli.terminal import escaped, on_one_line
from registry.domain.names import LONGEST_TEXT, LONGEST_WORD, fold, number_key, readings, tokens, words
from registry.errors import Invalid
from registry.http.app import create_app
from registry.http.cursors import could_be_kept, cursor_at, position
from registry.http.directions import contained
from registry.http.idempotency import HEADER, given_key
from registry.http.problems import Malformed
from registry.http.requests import MOST_DEPTH, parse_json
from registry.http.web import cursors as of_pages
from registry.services.feed import cursor_of, place_of
from registry.services.import_profiles import built_in, built_in_names
from registry.settings import Settings
from registry.sheets.profile_shape import read_shape
from registry.sheets.profiles import Profile, read_profile
from registry.sheets.reading import LONGEST_ROW, MOST_COLUMNS, BadRow, Layout, Sheet, open_sheet
from registry.sheets.rows import RowReader, WrongRow
from registry.sheets.workbooks import ZIP
from registry.sheets.writing import PROBLEM_COLUMNS, csv_text, kept, neutralise, rejected_header, restore
from tests.support.sheets import PROFILE

DAY = date(2026, 6, 1)
KINDS = {"s": str, "i": int, "d": date}


def _is_a_sentence(detail: str) -> None:
    assert 0 < len(detail) < 100_000


def importer(data: bytes) -> None:
    """A file is refused as a whole by ``Invalid``, or read; a row that cannot be taken in is a ``BadRow`` or
    a ``WrongRow``; nothing else is raised. What is read of CSV and given out as rejected is read as the same.

    Workbooks are read by another process, whatever they do to it: tests/sheets/test_bombs.py.
    """
    name, content = data[:1], data[1:]
    if content.startswith(ZIP):
        return
    profile = profiles()[name[0] % len(profiles())] if name else profiles()[0]
    layout = Layout(profile.delimiter, profile.encoding, profile.sheet, profile.columns())
    try:
        sheet = open_sheet(io.BytesIO(content), layout)
        reader = _reader(profile, sheet)
        rows = []
        for row in sheet.rows:
            if isinstance(row, BadRow):
                assert row.line > 0
                assert len(row.cells) <= MOST_COLUMNS
                continue
            line, cells = row
            assert line > 0
            assert len(cells) == len(sheet.header)
            assert sum(map(len, cells)) <= LONGEST_ROW
            rows.append(cells)
            if reader is not None:
                _read(reader, cells)
    except Invalid as refused:
        _is_a_sentence(refused.detail)
        return
    if sheet.kind == "csv":
        _same_again(sheet, rows)


@cache
def profiles() -> list[Profile]:
    """Those that come with the registry, and that of the tests."""
    documents = [built_in(name) or {} for name in built_in_names()]
    return [read_profile(document) for document in (PROFILE, *documents)]


def _reader(profile: Profile, sheet: Sheet) -> RowReader | None:
    try:
        return RowReader(profile, sheet.header)
    except Invalid:
        return None


def _read(reader: RowReader, cells: list[str]) -> None:
    number_key(reader.number(cells))
    reader.fingerprint(cells, b"")
    if reader.is_wanted(cells):
        try:
            entry = reader.read(cells, DAY)
        except WrongRow as wrong:
            _is_a_sentence(str(wrong))
        else:
            f"{entry.name.full_name}{entry.number}{entry.former_names}{entry.authorizations}".encode()


def _same_again(sheet: Sheet, rows: list[list[str]]) -> None:
    """What is given out as rejected rows is read again as what it was."""
    if len(sheet.header) > MOST_COLUMNS - len(PROBLEM_COLUMNS):
        return
    header = rejected_header(sheet.header)
    wanted = [["1", "Why.", *kept(sheet.header, cells)] for cells in rows]
    written = "".join(csv_text([header, *wanted])).encode("utf-8", "surrogatepass")
    again = open_sheet(io.BytesIO(written), Layout(delimiter=",", encoding="utf-8"))
    assert again.header == [restore(neutralise(name)) for name in header]
    read = [row for row in again.rows if not isinstance(row, BadRow)]
    # A cell with line ends may be a row of more lines than are read, or longer as it is written.
    if len(read) == len(wanted):
        assert [cells for _, cells in read] == wanted


def cursor(data: bytes) -> None:
    """A cursor that somebody made is refused by ``Invalid``, or a position that a database can compare with;
    one that the register made comes back as the position that it was made of. Pages take what is none for
    their beginning; the feed refuses by ``ValueError`` whatever it would not write itself."""
    text = data.decode("utf-8", "replace")
    kinds = [KINDS[letter] for letter in "sid" if letter in text[:3]] or [str]
    with application().test_request_context("/v1/bodies?limit=1"):
        try:
            found = position({"cursor": text}, *kinds)
        except Invalid:
            pass
        else:
            assert found is not None
            assert all(map(could_be_kept, found))
        parts = [part for part in _parts(data) if could_be_kept(part)]
        assert position({"cursor": cursor_at(parts)}, *map(type, parts)) == tuple(parts)
    read = of_pages.read_cursor(text)
    assert (
        read.position == ()
        or of_pages.read_cursor(of_pages.cursor_of(read.position, widened=read.widened)) == read
    )
    assert of_pages.read_place(text, DAY).day <= DAY
    try:
        place = place_of(text)
    except ValueError:
        return
    assert cursor_of(place) == text


def _parts(data: bytes) -> Iterator[str | int | date]:
    for piece in data[:60].split(b","):
        yield piece.decode("utf-8", "replace")
        yield int.from_bytes(piece[:7], "big", signed=True)
        yield date.fromordinal(1 + int.from_bytes(piece[:2], "big"))


@cache
def application() -> Flask:
    return create_app(Settings(database_url="sqlite://"))


def names(data: bytes) -> None:
    """Folding takes any text, says no more than it was told, and of what is folded changes nothing; words are
    folded, bounded and distinct; a number as it is compared is compared with itself."""
    text = _text(data)
    folded = fold(text)
    assert fold(folded) == folded
    assert len(folded) <= LONGEST_TEXT
    assert folded == " ".join(folded.split())
    for reading in readings(text):
        assert len(set(reading)) == len(reading)
        assert all(0 < len(word) <= LONGEST_WORD for word in reading)
    assert set(words(text)) == {word for reading in readings(text) for word in reading}
    assert len(set(tokens(text))) == len(tokens(text))
    key = number_key(text)
    assert number_key(key) == key
    if len(text) < LONGEST_TEXT // 4:
        composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
        assert fold(composed) == fold(decomposed)


def idempotency_key(data: bytes) -> None:
    """A header is refused by ``Invalid``, or is a key of 1 to 257 printable characters of ASCII; and every
    key of such characters can be given in quotes, which are then no part of it."""
    text = data.decode("latin-1").translate({10: None, 13: None})  # which no server takes in a header
    found = _key_of(text)
    if found is None:
        return
    assert 0 < len(found) <= 257
    assert found.isascii()
    assert found.isprintable()
    quoted = '"' + found.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if len(quoted) <= 257:
        assert _key_of(quoted) == found


def _key_of(text: str) -> str | None:
    with application().test_request_context("/", headers={HEADER: text}):
        try:
            return given_key()
        except Invalid:
            return None


def body(data: bytes) -> None:
    """A body is refused by ``Malformed``, or it is JSON for every other reader, too, and says the same to it;
    it is not nested too deeply, and can be written as JSON again."""
    try:
        found = parse_json(data)
    except Malformed as refused:
        _is_a_sentence(refused.detail)
        return
    assert json.loads(data) == found
    assert _depth(found) <= MOST_DEPTH
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def _depth(value: Any) -> int:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if below is None else 1 + max(map(_depth, below), default=0)


def profile(data: bytes) -> None:
    """A mapping profile, which whoever has the right key may send in, is refused by ``Invalid`` in a
    sentence, or read; nothing else is raised, however its parts are nested or named."""
    try:
        document = parse_json(data)
    except Malformed:
        return
    try:
        read_shape(document)
        read_profile(document)
    except Invalid as refused:
        _is_a_sentence(refused.detail)


def shown(data: bytes) -> None:
    """A text on a page opens nothing that it does not close, nor closes what it did not open; on a terminal
    it is shown and not obeyed, and JSON is the same JSON. What is done once is done."""
    text = _text(data)
    on_page = contained(text)
    assert contained(on_page) == on_page
    assert f"\u2068{on_page}\u2069" == contained(f"\u2068{on_page}\u2069")
    on_terminal = escaped(text)
    assert escaped(on_terminal) == on_terminal
    assert "\n" not in on_one_line(text)
    assert json.loads(escaped(json.dumps(text, ensure_ascii=False))) == text
    assert restore(neutralise(text)) == text


def _text(data: bytes) -> str:
    """A text of these bytes, with halves of characters alone where they say so, but no two that are one."""
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "importer": importer,
    "cursor": cursor,
    "names": names,
    "idempotency_key": idempotency_key,
    "body": body,
    "profile": profile,
    "shown": shown,
}
