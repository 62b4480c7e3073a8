"""What is sent to hurt: bodies that are no JSON, values that no field expects, text that misleads.

All of it is the same in every run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

OVERRIDE, ISOLATE, END_ISOLATE, END_OVERRIDE = "\u202e", "\u2067", "\u2069", "\u202c"

BROKEN: tuple[bytes, ...] = (
    # Nothing, space, fragments
    *(
        b"",
        b" ",
        b"\n\n",
        b"\t",
        b"{",
        b"}",
        b"[",
        b"]",
        b"{]",
        b"[}",
        b"{{",
        b"}{",
        b"[[",
        b"][",
        b"()",
        b"<>",
    ),
    *(
        b'"',
        b'"a',
        b'{"',
        b'{"a',
        b'{"a"',
        b'{"a":',
        b'{"a":1',
        b'{"a":1,',
        b'{"a":1,}',
        b'{"a"}',
        b'{"a",1}',
    ),
    *(b'{,"a":1}', b'{"a":1 "b":2}', b'{"a" 1}', b'{"a"::1}', b'{"a":,}', b"{a:1}", b"{'a':1}", b"{1:1}"),
    *(b"{null:1}", b"{[]:1}", b"[1,]", b"[,1]", b"[1,,2]", b"[1 2]", b"[1:2]", b"[", b'["a"', b'["a",'),
    *(
        b"{}{}",
        b"{} x",
        b"{},",
        b"[] []",
        b"{}\x00",
        b"\x00{}",
        b"{\x00}",
        b"1 2",
        b'"a" "b"',
        b"{}#",
        b"{};",
    ),
    # Words
    *(b"nul", b"nulll", b"NULL", b"None", b"True", b"TRUE", b"tru", b"falsee", b"undefined", b"NaN", b"-NaN"),
    *(
        b"Infinity",
        b"-Infinity",
        b"+Infinity",
        b"inf",
        b"nan",
        b"[NaN]",
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
    ),
    # Numbers
    *(b"01", b"-01", b"00", b"+1", b"--1", b"-", b"+", b".5", b"-.5", b"1.", b"1.e5", b"1e", b"1e+", b"1ee5"),
    *(b"0x1F", b"0b1", b"0o7", b"1_000", b"1,000", b"1a", b"1.2.3", b"\xef\xbc\x91", b"\xd9\xa1", b"[1e400]"),
    *(b"1e400", b"-1e400", b'{"a":1e400}', b'{"a":-1e999999999}', b"9" * 5000, b'{"a":' + b"9" * 101 + b"}"),
    *(b"-" + b"9" * 5000, b"0." + b"9" * 10 + b"e99999"),
    # Texts
    *(b"'a'", b'"\\"', b'"\\a"', b'"\\x41"', b'"\\u"', b'"\\u1"', b'"\\u12G4"', b'"\\U00000041"', b'"\\\n"'),
    *(b'"a\nb"', b'"a\rb"', b'"a\tb"', b'"a\x00b"', b'"a\x1fb"', b'"a', b'a"', b'"""', b"`a`", b'{"a\nb":1}'),
    # Bytes that are no UTF-8: alone, cut short, overlong, halves of characters, beyond Unicode
    *(
        b"\xff",
        b"\xfe\xff",
        b'"\x80"',
        b'"\xc3"',
        b'"\xe2\x82"',
        b'"\xc0\xaf"',
        b'"\xe0\x80\xaf"',
        b'"\xc1\xbf"',
    ),
    *(b'"\xed\xa0\x80"', b'"\xed\xb0\x80"', b'"\xf4\x90\x80\x80"', b'"\xf8\x88\x80\x80\x80"', b'{"\xff":1}'),
    # Other encodings, and marks
    *(
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-16-le"),
        '{"a":1}'.encode("utf-32"),
    ),
    *(
        '{"a": "é"}'.encode("latin-1"),
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00C\xbf\xa6\xa3",
    ),
    *(b"PK\x03\x04", b"%PDF-1.7", b"<?xml version='1.0'?><a/>", b"<html>", b"a=1&b=2", b"--x\r\n\r\n--x--"),
    # Comments, other notations, programs
    *(
        b"// a\n{}",
        b"/* a */ {}",
        b"# a\n{}",
        b"---\na: 1\n",
        b"{a: 1}",
        b"a = 1",
        b"(1)",
        b"{}/**/",
        b"@import",
    ),
    *(b"function(){}", b"__import__('os')", b"${jndi:ldap://x}", b"{{7*7}}", b"cos\nsystem\n(S'x'\ntR."),
    # Members given twice
    *(b'{"a":1,"a":1}', b'{"a":1,"a":2}', b'{"a":{"b":1,"b":2}}', b'[{"a":1,"a":1}]', b'{"":1,"":2}'),
    *(b'{"a":1,"\\u0061":2}', b'{"__proto__":1,"__proto__":2}'),
    # Nested beyond all reason
    *(bracket * depth for bracket in (b"[", b'{"a":', b'[{"a":') for depth in (33, 999, 1000, 100_000)),
    *(b"[" * depth + b"]" * depth for depth in (33, 500, 960, 970, 980, 990, 1000, 5000, 100_000)),
    *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (33, 200, 330, 480, 960, 980, 1000, 50_000)),
)
"""Each is refused as a whole, whatever the address expects."""


def damaged(document: Any, every: int = 1) -> Iterator[bytes]:
    """A document cut off, and with bytes put in that no JSON has, at every so many places: none is JSON."""
    whole = json.dumps(document).encode()
    for at in range(0, len(whole), every):
        yield whole[:at]
        yield whole[:at] + b"\xff" + whole[at:]
        yield whole[:at] + b"\x00" + whole[at + 1 :]


TEXTS: tuple[str, ...] = (
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "a\udfffb",
        "\udc00\ud800",
        "\ufeff",
        "\ufffe",
        "\uffff",
        "\U0010ffff",
    ),
    *(
        "\u202e",
        f"Ana {OVERRIDE}avliS",
        f"{END_ISOLATE}{OVERRIDE}x",
        f"{ISOLATE}x",
        "\u2028",
        "a\u2029b",
        "\u0085",
    ),
    *("Аna", "Αna", "ℂ𝕙𝕝𝕠é", "ﷺ" * 20, "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L", "e" + "\u0301" * 200, "👩‍👩‍👧‍👦", "\U000e0041"),  # noqa: RUF001 - look-alikes are the point
    *("ß" * 200, "İ" * 40, "ŉ" * 40, "\u1e9e", "ﬃ" * 50, "\u3164", "\u00ad", "\u200b", "\u061c", "Ⅷ", "²"),
    *(
        "a" * 201,
        "a" * 1001,
        "a" * 100_000,
        "\U0001d54f" * 201,
        "\n",
        "a\nb",
        "a\r\nb: c",
        "\t",
        "\x1b[31mred",
        "\x7f",
    ),
    *(
        "'",
        '"',
        "';--",
        "' OR 1=1 --",
        "%",
        "_",
        "%s%s%n",
        "{}",
        "{0}",
        "{{7*7}}",
        "${x}",
        "<script>",
        "&lt;",
    ),
    *(
        "../../etc/passwd",
        "..\\..\\x",
        "%2e%2e%2f",
        "%00",
        "%c0%ae",
        "file:///etc/passwd",
        "//x.example",
        "\\\\x\\y",
    ),
    *(
        "NaN",
        "Infinity",
        "1e400",
        "-0",
        "0",
        "-1",
        "9" * 30,
        "null",
        "true",
        "None",
        "undefined",
        "NULL",
        "[]",
    ),
    *("=1+1", "@SUM(A1)", "+1", "-1", "'=1", "https://x.example/\r\nSet-Cookie: a=b", "javascript:alert(1)"),
    *(
        "2026-02-30",
        "0000-00-00",
        "99999-01-01",
        "2026-01-01T00:00:00Z",
        "24:00",
        "2026-W01-1",
        "\u0662\u0660\u0662\u0666-\u0660\u0661-\u0660\u0661",
    ),
)
"""Texts that a field may take or refuse; nothing else."""

VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -0.0,
        -1,
        1,
        2**31,
        2**53,
        2**53 + 1,
        2**63,
        -(2**63),
        2**64,
        10**99,
        0.1,
        1e-320,
    ),
    *(
        1e308,
        -1e308,
        4.9e-324,
        [],
        {},
        [None],
        [[]],
        {"": ""},
        {"a": {"b": {"c": [1]}}},
        [1] * 2000,
        ["a"] * 2000,
    ),
    *([{}] * 200, {"$ref": "#"}, {"__proto__": {"x": 1}}, {str(n): n for n in range(500)}, "", "x"),
)
"""Values that a field may take or refuse; nothing else."""


def altered(document: Any, values: Sequence[Any], *, turn: int | None = None) -> Iterator[Any]:
    """A document with each of these values in the place of each of its parts, and as one member more.

    :param turn: each value in one place only, another for each turn; quicker, and over all turns as much.
    """
    for number, value in enumerate(values):
        places = list(_altered(document, value))
        yield from places if turn is None else [places[(number * 7 + turn) % len(places)]]


def _altered(document: Any, value: Any) -> Iterator[Any]:
    yield value
    if isinstance(document, dict):
        for name, part in document.items():
            for other in _altered(part, value):
                yield {**document, name: other}
        yield {**document, "more": value}
        if isinstance(value, str):
            yield {**document, value: 1}
    elif isinstance(document, list):
        for at, part in enumerate(document):
            for other in _altered(part, value):
                yield [*document[:at], other, *document[at + 1 :]]
        yield [*document, value]
