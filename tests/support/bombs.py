"""Files that are small and mean to cost much, or are no tables at all."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
XML = '<?xml version="1.0" encoding="UTF-8"?>'

CONTENT_TYPES = (
    f'{XML}<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{SHEET_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SHEET_TYPE}.worksheet+xml"/></Types>'
)
RELATIONSHIPS = (
    f'{XML}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
BOOK = (
    f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
    '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
BOOK_RELATIONSHIPS = (
    f'{XML}<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
)
HUGE = 210_000_000


def workbook(sheet: str | bytes, *, shared: str = "", book: str = BOOK, **more: str) -> bytes:
    """A workbook of exactly these parts.

    :param more: other parts, by name.
    """
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": CONTENT_TYPES,
        "_rels/.rels": RELATIONSHIPS,
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": BOOK_RELATIONSHIPS,
        "xl/worksheets/sheet1.xml": sheet,
        **({"xl/sharedStrings.xml": shared} if shared else {}),
        **more,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def sheet(*rows: str, head: str = "") -> str:
    """A sheet of rows that are XML already."""
    return f'{XML}{head}<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'


def row(number: int, **cells: str) -> str:
    """A row with text in some of its columns."""
    told = "".join(
        f'<c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c>' for column, text in cells.items()
    )
    return f'<row r="{number}">{told}</row>'


HEADER = row(1, A="No", B="Name")


def _shared_string_repeated() -> bytes:
    refers = '<c t="s"><v>2</v></c>'
    rows = "".join(f"<row>{refers * 50}</row>" for _ in range(1_000))
    first = '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'
    texts = "".join(f"<si><t>{text}</t></si>" for text in ("No", "Name", "x" * 1_000_000))
    return workbook(sheet(first, rows), shared=f'{XML}<sst xmlns="{MAIN}">{texts}</sst>')


def _entities(declared: str) -> bytes:
    return workbook(sheet(HEADER, row(2, A="1", B="&j;"), head=f"<!DOCTYPE x [{declared}]>"))


def _lying_about_its_size() -> bytes:
    """Its directory says that the sheet has a thousand bytes; it has two hundred million more."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(sheet(HEADER, row(2, A="1", B="x" * HUGE)).encode()) + packer.flush()
    honest = workbook(sheet(HEADER))
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        others = {name: archive.read(name) for name in archive.namelist() if "sheet1.xml" not in name}
    file, directory = io.BytesIO(), b""
    for name, content in [*others.items(), ("xl/worksheets/sheet1.xml", None)]:
        data = packed if content is None else zlib.compress(content, 9)[2:-4]
        said = 1_000 if content is None else len(content)
        check = 0 if content is None else zlib.crc32(content)
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x5A21, check, len(data), said, len(name), 0)
        offset = file.tell()
        file.write(b"PK\x03\x04" + fields + name.encode() + data)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + fields
        directory += struct.pack("<HHHII", 0, 0, 0, 0, offset) + name.encode()
    count, at = len(others) + 1, file.tell()
    file.write(directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), at, 0))
    return file.getvalue()


def _of_very_many_parts() -> bytes:
    """A directory of very many entries, of which each takes memory when it is read."""
    one = b"PK\x01\x02" + struct.pack(
        "<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 0x5A21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
    )
    directory = (one + b"a") * 100_000
    end = struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, len(directory), 4, 0)
    return b"PK\x03\x04" + directory + b"PK\x05\x06" + end


WORKBOOKS: Mapping[str, Callable[[], bytes]] = {
    "two cells at opposite corners": lambda: workbook(sheet(HEADER, row(1_048_576, XFD="x"))),
    "a cell beyond every corner": lambda: workbook(sheet(HEADER, row(4_294_967_295, ZZZZZZ="x"))),
    "as wide and long as can be": lambda: workbook(
        sheet(row(1, A="No", XFD="z"), *(row(n, A="1") for n in range(2, 6_000)))
    ),
    "two hundred megabytes of nothing": lambda: workbook(sheet(HEADER, " " * HUGE)),
    "a cell of two hundred megabytes": lambda: workbook(sheet(HEADER, row(2, A="1", B="x" * HUGE))),
    "one long text in fifty thousand cells": _shared_string_repeated,
    "smaller than it says": _lying_about_its_size,
    "a hundred thousand parts": _of_very_many_parts,
    "entities that grow": lambda: _entities(
        '<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    ),
    "an entity from a file": lambda: _entities('<!ENTITY j SYSTEM "file:///etc/passwd">'),
    "an entity from elsewhere": lambda: _entities('<!ENTITY j SYSTEM "http://127.0.0.1:9/x">'),
    "an entity of parameters": lambda: _entities('<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;'),
    "no sheet": lambda: workbook("", book=BOOK.replace("rId1", "rId9")),
    "sheets nested in each other": lambda: workbook(b"<a>" * 1_000_000),
    "no XML": lambda: workbook(b"\xff\xfe\x00" * 1_000),
    "a thousand more parts than may be": lambda: workbook(
        sheet(HEADER), **{f"xl/media/{n}.png": "" for n in range(3_000)}
    ),
}
"""Workbooks that are refused, as a whole."""


def spoiled(content: bytes) -> list[bytes]:
    """A file cut short, and with single bytes changed, at places all over it."""
    places = range(4, len(content), max(1, len(content) // 10))
    changed = [content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :] for at in places]
    return [*changed, *(content[:at] for at in places)]
