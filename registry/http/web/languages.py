"""The languages of the patient pages, and which of them a request is answered in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel import Locale
from babel.support import NullTranslations, Translations
from werkzeug.datastructures import LanguageAccept

CATALOGS = Path(__file__).parent / "translations"


@dataclass(frozen=True, slots=True)
class Language:
    """A language that every phrase is written in.

    :param code: its ISO 639-1 code, as it stands in addresses, cookies and ``lang`` attributes.
    :param name: what its speakers call it.
    :param written: the locale whose dates it writes: 30 September 2026, whoever reads it.
    """

    code: str
    name: str
    written: str

    @property
    def locale(self) -> Locale:
        """How dates, lists and plural forms are written."""
        return Locale.parse(self.written)

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``, as the ``dir`` attribute spells it."""
        return str(self.locale.text_direction)


ENGLISH = Language("en", "English", "en_GB")
LANGUAGES: Mapping[str, Language] = {
    language.code: language
    for language in (ENGLISH, Language("fr", "Français", "fr"), Language("ar", "العربية", "ar"))
}
SOURCE = ENGLISH
"""The language that the phrases in the code are written in."""


def choose_language(in_address: str | None, in_cookie: str | None, accepted: LanguageAccept) -> Language:
    """The first that is spoken here: of the address, the cookie, the browser's wishes; else English."""
    for code in _wishes(in_address, in_cookie, accepted):
        if code in LANGUAGES:
            return LANGUAGES[code]
    return SOURCE


def _wishes(in_address: str | None, in_cookie: str | None, accepted: LanguageAccept) -> Iterator[str]:
    yield in_address or ""
    yield in_cookie or ""
    for tag, quality in accepted:
        if quality > 0:
            yield tag.partition("-")[0].lower()


@cache
def translations_of(language: Language) -> NullTranslations:
    """The phrases in a language; the source's stand in the code itself."""
    if language == SOURCE:
        return NullTranslations()
    return Translations.load(str(CATALOGS), [language.code])
