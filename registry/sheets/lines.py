"""Lines of text from bytes: decoded one by one, so that a damaged one costs no other, and counted."""

from __future__ import annotations

import codecs
import io
from collections import deque
from collections.abc import Iterator
from typing import IO, Any

from registry.errors import Invalid

LONGEST_LINE = 1_000_000
"""Bytes of one line; a longer one means that the file is no table."""

MOST_BLANK_LINES = 1_000
"""Before the first line that holds anything."""

BLOCK = 1 << 20
FALLBACK = "cp1252"
BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def guess_encoding(stream: IO[bytes], declared: str | None) -> str:
    """The encoding: by its mark, as declared, UTF-8 if all of it is, else what Windows writes in the West."""
    start = stream.read(4)
    stream.seek(0)
    marked = next((name for mark, name in BOMS.items() if start.startswith(mark)), None)
    if marked or declared:
        return marked or codecs.lookup(declared or "").name
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := stream.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return FALLBACK
    finally:
        stream.seek(0)
    return "utf-8"


class TextLines(Iterator[str]):
    """The lines of a file, each with its line end. Lines can be given back and are then read again.

    :ivar number: the number of the line read last, from 1.
    :ivar taken: the lines read since :meth:`begin`.
    :ivar is_damaged: whether one of those is not text in the file's encoding.
    """

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self.encoding = encoding
        self.number = 0
        self.taken: list[str] = []
        self.is_damaged = False
        self._waiting: deque[str] = deque()
        self._stream = _with_newlines(stream, encoding)
        self._decoding = "utf-8" if isinstance(self._stream, _Transcoded) else encoding

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else self._read()
        self.number += 1
        self.taken.append(line)
        return line

    def _read(self) -> str:
        raw = self._stream.readline(LONGEST_LINE + 1)
        if not raw:
            raise StopIteration
        if len(raw) > LONGEST_LINE:
            raise Invalid(f"Line {self.number + 1} is longer than {LONGEST_LINE:,} bytes: this is no table.")
        try:
            return raw.decode(self._decoding)
        except UnicodeDecodeError:
            self.is_damaged = True
            return raw.decode(self._decoding, "replace")

    def begin(self) -> None:
        """A new record begins."""
        self.taken = []
        self.is_damaged = False

    def give_back(self, lines: list[str]) -> None:
        """These lines, the last ones read, are to be read again."""
        self._waiting.extendleft(reversed(lines))
        self.number -= len(lines)

    def peek(self) -> str | None:
        """The first line that is not blank, which stays to be read; ``None`` where there is none.

        :raises registry.errors.Invalid: it does not come soon.
        """
        seen: list[str] = []
        for line in self:
            seen.append(line)
            if len(seen) > MOST_BLANK_LINES:
                raise Invalid(f"The file begins with more than {MOST_BLANK_LINES:,} blank lines.")
            if line.strip():
                break
        self.give_back(seen)
        self.begin()
        return seen[-1] if seen and seen[-1].strip() else None


class _Borrowed(io.RawIOBase):
    """A stream that stays open when whoever reads it is done with it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: Any) -> int:
        """Fill a buffer, as far as there is anything: how many bytes."""
        read = self._stream.read(len(into))
        into[: len(read)] = read
        return len(read)


def _decoded(stream: IO[bytes], encoding: str, newline: str | None) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(_Borrowed(stream), BLOCK), encoding, "replace", newline=newline)


class _Transcoded(io.RawIOBase):
    """UTF-8 bytes of a stream in another encoding, or with other line ends."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text

    def readline(self, size: int | None = -1) -> bytes:
        """A line that ends with a line feed. What cannot be decoded became a replacement character."""
        return self._text.readline(size or -1).encode("utf-8", "replace")


def _with_newlines(stream: IO[bytes], encoding: str) -> IO[bytes] | _Transcoded:
    """The stream itself where its lines end with the byte of a line feed."""
    start = stream.read(BLOCK // 16)
    stream.seek(0)
    if encoding == "utf-16":
        return _Transcoded(_decoded(stream, encoding, "\n"))
    if b"\n" not in start and b"\r" in start:
        return _Transcoded(_decoded(stream, encoding, None))
    if start.startswith(codecs.BOM_UTF8):
        stream.seek(len(codecs.BOM_UTF8))
    return stream
