"""What notices say: built-in words, a body's own where it has some, and what is put into them.

A wording is text with placeholders such as ``{{last_day}}``. Nothing else in it means anything: it cannot
compute, look anything up, or hold markup. The HTML alternative is made of the text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from markupsafe import Markup, escape
from sqlalchemy import Connection

from registry.domain.notices import TemplateKind
from registry.errors import Invalid
from registry.store.contacts import find_wording

PLACEHOLDER = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
BRACES = re.compile(r"\{\{|\}\}")
COMMON = ("name", "number", "body", "what", "link")
PLACEHOLDERS: Mapping[TemplateKind, frozenset[str]] = {
    TemplateKind.TERM_ENDS: frozenset({*COMMON, "last_day", "days_left"}),
    TemplateKind.ENDS_TODAY: frozenset({*COMMON, "last_day"}),
    TemplateKind.SUSPENDED: frozenset({*COMMON, "first_day"}),
}
"""What each text may be given. A reason is not among it: letters are read by others too."""

ENGLISH = "en"
LONGEST_SUBJECT = 150
LONGEST_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a notice, with placeholders."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """The words of a notice, ready to be sent."""

    subject: str
    text: str
    html: str
    language: str


WHAT: Mapping[str, tuple[str, str]] = {
    "en": ("registration", "authorization to needle"),
    "fr": ("inscription", "autorisation de puncture"),
}
"""By language: a registration, an authorization."""


def _built_in() -> dict[tuple[TemplateKind, str], Wording]:
    text = (files(__package__) / "notice_words.toml").read_text(encoding="utf-8")
    return {
        (TemplateKind(kind), language): Wording(**words)
        for kind, by_language in tomllib.loads(text).items()
        for language, words in by_language.items()
    }


BUILT_IN: Mapping[tuple[TemplateKind, str], Wording] = _built_in()


@dataclass(frozen=True, slots=True)
class Told:
    """What a notice is about.

    :param days: by placeholder, the days that it names.
    """

    name: str
    number: str
    body: str
    link: str
    is_authorization: bool
    days: Mapping[str, date]
    days_left: int | None = None


def check_wording(kind: TemplateKind, wording: Wording) -> None:
    """:raises registry.errors.Invalid: with all that is wrong in it."""
    problems = [
        {"pointer": f"/{part}", "detail": detail}
        for part, text in (("subject", wording.subject), ("text", wording.text))
        for detail in _wrong_in(kind, text)
    ]
    if problems:
        raise Invalid("These words cannot be used.", problems)


def _wrong_in(kind: TemplateKind, text: str) -> list[str]:
    allowed = PLACEHOLDERS[kind]
    known = ", ".join(f"{{{{{each}}}}}" for each in sorted(allowed))
    found = [
        f"There is no {{{{{name}}}}} here: use some of {known}."
        for name in dict.fromkeys(PLACEHOLDER.findall(text))
        if name not in allowed
    ]
    if BRACES.search(PLACEHOLDER.sub("", text)):
        found.append(f"Double braces are for placeholders alone: use some of {known}.")
    return found


def template_of(days_left: int | None) -> TemplateKind:
    """The text for so many days before the end of a term; ``None`` for a suspension."""
    if days_left is None:
        return TemplateKind.SUSPENDED
    return TemplateKind.TERM_ENDS if days_left else TemplateKind.ENDS_TODAY


def choose_wording(
    connection: Connection, body_id: str, kind: TemplateKind, language: str | None
) -> tuple[Wording, str]:
    """The words for somebody who is written to in a language, and the language that they are in.

    First those for the language with its region, then without it, then English; a body's own go before the
    built-in ones.
    """
    for tag in dict.fromkeys((language or ENGLISH, (language or ENGLISH).partition("-")[0], ENGLISH)):
        own = find_wording(connection, body_id, kind, tag)
        if own is not None:
            return Wording(own.subject, own.text), tag
        if (kind, tag) in BUILT_IN:
            return BUILT_IN[kind, tag], tag
    raise AssertionError("there are built-in words in English for everything")


def write(wording: Wording, language: str, told: Told) -> Written:
    """The notice in these words."""
    values = _values(language, told)

    def filled(text: str) -> str:
        return PLACEHOLDER.sub(lambda found: values.get(found[1], ""), text)

    text = filled(wording.text)
    return Written(filled(wording.subject), f"{text}\n", as_html(text, told.link, language), language)


def _values(language: str, told: Told) -> dict[str, str]:
    registration, authorization = WHAT.get(language.partition("-")[0], WHAT[ENGLISH])
    values = {
        "name": _one_line(told.name),
        "number": _one_line(told.number),
        "body": _one_line(told.body),
        "link": told.link,
        "what": authorization if told.is_authorization else registration,
        "days_left": "" if told.days_left is None else str(told.days_left),
    }
    return values | {name: day_in(language, day) for name, day in told.days.items()}


def day_in(language: str, day: date) -> str:
    """A day as a language writes it: 30 September 2026."""
    return format_date(day, "long", locale=locale_of(language))


def locale_of(language: str) -> Locale:
    """How a language writes dates, and in which direction; English for one that is not known."""
    wanted = "en-GB" if language == ENGLISH else language
    try:
        return Locale.parse(wanted, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def as_html(text: str, link: str, language: str) -> str:
    """The same as a page: paragraphs, with the one address in it to be followed."""
    paragraphs = [
        _paragraph(part.split("\n"), lambda line: line == link) for part in re.split(r"\n{2,}", text.strip())
    ]
    direction = locale_of(language).text_direction
    return Markup(
        '<!DOCTYPE html>\n<html lang="{language}" dir="{direction}"><head><meta charset="utf-8"></head>'
        '<body style="font-family:sans-serif;line-height:1.5;max-width:38em">\n{paragraphs}\n</body></html>\n'
    ).format(language=language, direction=direction, paragraphs=Markup("\n").join(paragraphs))


def _paragraph(lines: list[str], is_link: Callable[[str], bool]) -> Markup:
    shown = [
        Markup('<a href="{0}">{0}</a>').format(line) if is_link(line) else escape(line) for line in lines
    ]
    return Markup("<p>{}</p>").format(Markup("<br>\n").join(shown))
