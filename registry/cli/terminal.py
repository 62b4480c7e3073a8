"""What a command prints may hold what a register keeps; a terminal must show it, and never obey it.

Characters that order a terminal about, or that change the order of what stands beside them, are printed as
JSON's escapes (``\\u202e``): so JSON that is printed stays the same JSON. Files are written as they are.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

UNPRINTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of Unicode: controls, formats, halves, private and no characters, separators of lines."""

LAYOUT = "\n\r\t"
JOINERS = "\u200c\u200d"
"""Part of how names in some scripts are written."""


def escaped(text: str) -> str:
    """A text as a terminal may show it; its lines stay lines."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def on_one_line(text: str) -> str:
    """A text as a terminal may show it as a part of a line."""
    return "".join(_escape(c) if c in LAYOUT else _shown(c) for c in text)


def _shown(character: str) -> str:
    if character in LAYOUT or character in JOINERS or unicodedata.category(character) not in UNPRINTED:
        return character
    return _escape(character)


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


class _Escaping:
    """A stream of text to which nothing is written but what a terminal may show."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(escaped(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def escaping_output() -> Iterator[None]:
    """Within, whatever is printed is escaped; bytes that go to the buffer of standard output are not."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast(Any, _Escaping(out)), cast(Any, _Escaping(err))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
