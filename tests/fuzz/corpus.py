"""What fuzzing begins with: something right of each kind, and what has been wrong before."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path

from registry.http.cursors import cursor_at
from registry.http.examples import REQUESTS
from registry.http.web import cursors as of_pages
from registry.services.feed import Place, cursor_of
from tests.fuzz import targets
from tests.support.hostile import BROKEN, TEXTS, altered
from tests.support.sheets import HEADER, PROFILE, csv_file, ndjson_file, people, person

LONGEST = 20_000
"""Bytes; what is longer makes fuzzing slow, and is tried by the tests themselves."""

CELLS = ('"a ""quoted"" one"', '"two\nlines"', "'=1+1", "", "31/12/2026", "2026-02-30", "9999-12-31", "Zoë")


def importer() -> Iterator[bytes]:
    rows = [person("PT-1"), person("PT-2", Status="Suspended"), person("PT-1", City="Banff"), *people(2)]
    table = csv_file(rows).getvalue()
    text = table.decode()
    lists = '[{"techniques":["dry_needling"],"conditions":[{"text":"a","withheld":false}]}]'
    quoted = f'"{lists.replace(chr(34), chr(34) * 2)}"'
    export = "number,name,former_names,conditions,authorizations,first_day,status,practice,standing\n"
    files = [
        *(table, ndjson_file(rows).getvalue(), table.replace(b"\n", b"\r\n"), table.replace(b"\n", b"\r")),
        *(text.replace(",", mark).encode() for mark in ";\t|"),
        *(text.encode(encoding) for encoding in ("utf-8-sig", "utf-16", "cp1252")),
        b"sep=;\n" + text.replace(",", ";").encode(),
        "\n".join([",".join(HEADER), *(",".join([cell] * len(HEADER)) for cell in CELLS)]).encode(),
        f'{export}1,Ana,"[""A""]","[]",{quoted},2026-01-01,A,yes,in_force\n'.encode(),
        *BROKEN,
    ]
    for file in files:
        for profile in range(len(targets.profiles())):
            yield bytes([profile]) + file


def cursor() -> Iterator[bytes]:
    made: list[list[str | int | date]] = [["PT-1"], [7], [date(2026, 6, 1), "a"], [10**700], ["\ud800"]]
    made += [["\x00"], [0, "a", "b", "c", 1]]
    with targets.application().test_request_context("/v1/bodies?limit=1"):
        for parts in made:
            yield cursor_at(parts).encode()
    yield of_pages.cursor_of([0, "a", "b", "c", 1], widened=True).encode()
    yield cursor_of(Place(7, "01890a5d-ac96-774b-bcce-b302099a8057")).encode()
    yield b"2026-06-01~0a1b2c"
    yield from (urlsafe_b64encode(body) for body in BROKEN)


def names() -> Iterator[bytes]:
    plain = (
        "O'Brien",
        "Zoë Łukasz-Đorđević",
        "van der Berg",
        "McDonald, Prof. Dr. J.R., PhD",
        "الشيخ",
        "田中 花子",
    )
    yield from (text.encode("utf-8", "surrogatepass") for text in (*plain, *TEXTS, "l·l", "ﬁ", "Å", "ﾊﾟ"))


def idempotency_key() -> Iterator[bytes]:
    keys = (
        "a",
        '"a"',
        '"a\\"b"',
        '"\\\\"',
        '""',
        '"',
        "\\",
        "a b",
        " ",
        "x" * 255,
        f'"{"x" * 255}"',
        "x" * 258,
    )
    yield from (key.encode() for key in keys)
    yield from (text.encode("utf-8", "surrogatepass") for text in TEXTS)


def body() -> Iterator[bytes]:
    for document in REQUESTS.values():
        yield json.dumps(document).encode()
    yield from BROKEN


def profile() -> Iterator[bytes]:
    for document in (PROFILE, REQUESTS["ProfileDocument"]):
        yield json.dumps(document).encode()
        for changed in altered(document, (None, 1, "", "\x00", [], {}, [[]], {"": ""}, "in_force")):
            yield json.dumps(changed).encode()


def shown() -> Iterator[bytes]:
    yield from (text.encode("utf-8", "surrogatepass") for text in TEXTS)


CORPUS: Mapping[str, Callable[[], Iterator[bytes]]] = {
    "importer": importer,
    "cursor": cursor,
    "names": names,
    "idempotency_key": idempotency_key,
    "body": body,
    "profile": profile,
    "shown": shown,
}
"""By the names of the targets."""


def seeds(target: str) -> Iterator[bytes]:
    """What a target begins with."""
    return (seed for seed in CORPUS[target]() if len(seed) <= LONGEST)


def write_seeds(target: str, folder: Path) -> None:
    """The same as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(target):
        (folder / sha256(seed).hexdigest()[:20]).write_bytes(seed)
