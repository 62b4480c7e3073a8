"""Text that a register keeps may turn the direction of writing (UAX #9); on a page it turns itself alone.

Nothing is taken from a text that does no harm: what it opens is closed behind it, and what would close the
isolation that a page puts around it (``<bdi>`` does no more than open and close one) is left out.
"""

from __future__ import annotations

import re
import unicodedata

EMBEDDINGS = "\u202a\u202b\u202d\u202e"
END_EMBEDDING = "\u202c"
ISOLATES = "\u2066\u2067\u2068"
FIRST_STRONG_ISOLATE = "\u2068"
END_ISOLATE = "\u2069"

TURNING = re.compile("[\u0085\u001c-\u001e\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Controls of direction, and what ends a paragraph, with which every isolation ends, too."""

UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1b\x1f\ud800-\udfff\ufffe\uffff]")
"""What no XML may hold (XML 1.0, section 2.2)."""

ENDS_PARAGRAPH = "\u001c\u001d\u001e\u0085\u2028\u2029"
FROM_THE_RIGHT = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI"})
"""Classes of characters that change the order of what stands beside them."""


def contained(text: str) -> str:
    """The text, with all that it opens closed at its end, and nothing closed that it did not open."""
    text = UNWRITABLE.sub("\ufffd", text)
    return _contained(text) if TURNING.search(text) else text


def _contained(text: str) -> str:
    kept: list[str] = []
    opened: list[str] = []  # what closes each, the innermost last
    for character in text:
        if character in ENDS_PARAGRAPH:
            kept.append(" ")
            continue
        if character in EMBEDDINGS:
            opened.append(END_EMBEDDING)
        elif character in ISOLATES:
            opened.append(END_ISOLATE)
        elif character == END_EMBEDDING:
            if not opened or opened[-1] != END_EMBEDDING:
                continue
            opened.pop()
        elif character == END_ISOLATE:
            if END_ISOLATE not in opened:
                continue
            while opened.pop() != END_ISOLATE:  # ends the embeddings within it
                pass
        kept.append(character)
    return "".join((*kept, *reversed(opened)))


def isolated(text: str) -> str:
    """The text in plain text of any direction: it orders itself, and nothing beside it."""
    return f"{FIRST_STRONG_ISOLATE}{contained(text)}{END_ISOLATE}"


def is_from_the_left(text: str) -> bool:
    """Whether a text keeps its place and order among others from the left, without any isolation."""
    return text.isascii() or FROM_THE_RIGHT.isdisjoint(map(unicodedata.bidirectional, text))
