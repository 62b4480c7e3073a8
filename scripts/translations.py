"""Bring the catalogs of the pages up to date with the phrases in the code: python scripts/translations.py

Adds what is new to each messages.po (to be translated by hand), drops what is gone, and compiles messages.mo,
which is what the service reads and what is shipped. With --check nothing is written: it fails where the
catalogs are not as they would be.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PAGES = Path(__file__).parent.parent / "registry" / "http" / "web"
CATALOGS = PAGES / "translations"
METHODS = [("**.py", "python"), ("templates/**", "jinja2.ext.babel_extract")]
KEYWORDS = {"phrase": None, "phrases": (1, 2), "_": None, "gettext": None, "ngettext": (1, 2)}
HEADER = "# The phrases of the pages for patients. Kept by scripts/translations.py."
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def extracted() -> Catalog:
    """The phrases in the code, in the order of the files."""
    catalog = Catalog(fuzzy=False)
    found = extract_from_dir(
        str(PAGES), METHODS, {"templates/**": {"newstyle_gettext": "true", "trimmed": "true"}}, KEYWORDS
    )
    for filename, _line, message, _comments, context in sorted(found, key=lambda each: each[:2]):
        catalog.add(message, locations=[(Path(filename).as_posix(), None)], context=context)  # type: ignore[list-item]  # without lines
    return catalog


def updated(path: Path) -> Catalog:
    """A catalog with the phrases of the code: what it has already is kept, what is gone is dropped."""
    with path.open("rb") as stream:
        old = read_po(stream, locale=path.parent.parent.name)
    new = Catalog(locale=old.locale, fuzzy=False)
    for message in extracted():
        if message.id:
            known = old.get(message.id)
            new.add(message.id, known.string if known is not None else "", message.locations, message.flags)
    return new


def po_text(catalog: Catalog) -> bytes:
    """The catalog as it is kept: no dates, no line numbers, so that only a change of phrases changes it."""
    stream = BytesIO()
    write_po(stream, catalog, width=110, omit_header=True, include_lineno=False)
    fields = (
        "Content-Type: text/plain; charset=utf-8",
        f"Language: {catalog.locale}",
        f"Plural-Forms: {catalog.plural_forms}",
    )
    header = "".join(f'"{field}\\n"\n' for field in fields)
    return f'{HEADER}\nmsgid ""\nmsgstr ""\n{header}\n'.encode() + stream.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    """The catalog as it is read by the service; without dates."""
    undated = Catalog(locale=catalog.locale, fuzzy=False, creation_date=EPOCH, revision_date=EPOCH)
    for message in catalog:
        if message.id:
            undated.add(message.id, message.string)
    stream = BytesIO()
    write_mo(stream, undated)
    return stream.getvalue()


def main() -> int:
    stale = []
    for path in sorted(CATALOGS.glob("*/LC_MESSAGES/messages.po")):
        catalog = updated(path)
        for target, content in ((path, po_text(catalog)), (path.with_suffix(".mo"), mo_bytes(catalog))):
            if not target.exists() or target.read_bytes() != content:
                stale.append(target)
                if "--check" not in sys.argv:
                    target.write_bytes(content)
        empty = len([1 for message in catalog if message.id and not all(_strings(message.string))])
        print(f"{catalog.locale}: {len(catalog)} phrases, {empty} without translation")
    if stale and "--check" in sys.argv:
        print("Not up to date, run python scripts/translations.py:", *stale, sep="\n  ")
        return 1
    return 0


def _strings(string: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [string or ""] if string is None or isinstance(string, str) else list(string)


if __name__ == "__main__":
    sys.exit(main())
