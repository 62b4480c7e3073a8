"""A first guess at what the columns of a file mean, from their names and some of their values.

It is a proposal to be looked at, never a decision: a status word is taken to permit practice only where it
says nothing else, and what is not recognised is unknown. Nothing here reads a file or a clock.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.domain.vocabulary import Technique

from .dates import DatePattern
from .profiles import folded

Rows = Sequence[Sequence[str]]
Meaning = dict[str, Any]

FORMATS = (
    *("YYYY-MM-DD", "YYYY-MM-DDT00:00:00", "YYYYMMDD", "YYYY/MM/DD", "YYYY.MM.DD"),
    *(
        "DD/MM/YYYY",
        "MM/DD/YYYY",
        "D/M/YYYY",
        "M/D/YYYY",
        "DD.MM.YYYY",
        "D.M.YYYY",
        "DD-MM-YYYY",
        "MM-DD-YYYY",
    ),
    *("DD MMM YYYY", "D MMM YYYY", "DD-MMM-YYYY", "MMM D, YYYY", "MMM DD, YYYY"),
)
"""Ways to write a date that are tried, the ones that leave no doubt first."""

MOST_WORDS = 60
"""Different words of a column that may still be a status, or a class."""

ENOUGH = 0.9
"""Of the filled cells of a column, how many must be what it is taken for."""

NAMES: Mapping[str, str] = {
    "number": (
        r"regist(ration|rant|er)?(no|nr|num|number|id|code)$|licen[cs]e(e)?(no|nr|num|number|id|code)$"
        r"|credential(no|num|number|code)$|fullcredentialcode|certificate(no|num|number)|member(ship)?(no|num|number|id)$"
        r"|permit(no|num|number)|^(regno|licno|npi|npn|number|no|nr|num|id|numero|nummer)$"
        r"|numero(de)?(permis|licence|inscription|registro|colegiad[oa])|(big|register|registrier(ungs)?|mitglieds)nummer"
    ),
    "given": r"first(legal)?name|given(name)?s?|forenames?|^prenoms?|vorname|voornaam|^nombres?$",
    "middle": r"middle(name|initial)?|secondname|^mi$",
    "family": (
        r"last(legal)?name|family(name)?|surname|nomdefamille|^nom$|nachname|achternaam|apellidos?|familienname"
    ),
    "suffix": r"suffix",
    "prefix": r"(name)?prefix|^(title|salutation|anrede)$",
    "name": (
        r"^(full|practitioner|registrant|licen[cs]ee|provider|holder|complete)?name$"
        r"|nameofregistrant|nomcomplet"
    ),
    "city": (
        r"^(practi[cs]e|business|mailing|work)?(city|town|municipality|suburb|ville|ort|stadt|plaats|ciudad)"
        r"|cityname|localidad"
    ),
    "languages": r"languages?(spoken)?$|^langues?|sprachen?$|idiomas?$",
    "register_class": (
        r"(register|registration|license|licence|credential|membership)(class|type|category)|^(class|category|type)$"
        r"|^credential$|categorie|kategorie|taxonomycode|statusclass"
    ),
    "status": (
        r"status$|^(licen[cs]e|registration|credential)?(status|state|standing)(desc(ription)?)?$"
        r"|^statut|estado$"
    ),
    "status_reason": r"statusreason|reason(for)?status|substatus",
    "conditions": r"conditions?$|restrictions?$|limitations?$|^auflagen|^terms(and)?conditions",
    "renewed_day": r"renew|lastissue|reissue|effectivedate$|renouvel|verlaenger",
    "last_day": (
        r"expir|valid(until|to|thru|through)|end(date|s)?$|until$|through$"
        r"|ablauf|g(ue|u)ltigbis|vencimiento|echeance"
    ),
    "first_day": (
        r"(issued?|regist(ered|ration)|active|licen[cs]ed|granted|admitted)(date|on|since)?$|firstactive"
        r"|(start|begin|from|since|grant)(date|s)?$|^registered|inscription$|eintritt"
    ),
}
"""By what is looked for, how the name of a column says that it is that: its letters and digits alone."""

PEOPLE = ("given", "middle", "family", "suffix", "prefix", "name")
OTHERS = re.compile(
    r"other|former|previous|maiden|alias|business|organi[sz]ation|legalbusiness|dba|authorizedofficial"
)
"""In the name of a column: a name that is not the holder's present one."""

NEEDLING: Mapping[Technique, str] = {
    Technique.DRY_NEEDLING: r"dry_?needl",
    Technique.ACUPUNCTURE: r"acupunct|akupunkt",
    Technique.INTRAMUSCULAR_STIMULATION: r"intramuscularstim|^ims$",
}
TICKS = frozenset({"yes", "y", "true", "1", "x", "oui", "ja", "si", "authorized", "authorised", "active"})
UNTICKED = frozenset({"no", "n", "false", "0", "non", "nein", "nee", "-", "none", "not authorized"})

PEOPLE_WORDS = frozenset({"individual", "person", "practitioner", "people", "natural person"})
OTHER_WORDS = frozenset(
    {
        "organization",
        "organisation",
        "business",
        "entity",
        "facility",
        "company",
        "firm",
        "limited liability company",
    }
)

PERMITS = frozenset(
    {
        *("active", "active / current", "current", "registered", "licensed", "licenced", "in force", "valid"),
        *(
            "active in renewal",
            "active in renewal / current",
            "good standing",
            "in good standing",
            "practising",
        ),
        *(
            "practicing",
            "actif",
            "active - practising",
            "clear",
            "clear/active",
            "active/clear",
            "aktiv",
            "activo",
        ),
    }
)
"""The words, folded, that say nothing but that their holder may practise."""

ENDS: Sequence[tuple[str, Meaning]] = (
    (
        r"revok|struck|strike|removed|expell|erased|radi[eé]|widerrufen",
        {"practice": "no", "disciplinary": True, "leaves": "revoked"},
    ),
    (r"suspen", {"practice": "no", "disciplinary": True}),
    (r"surrender|relinquish|resign", {"practice": "no", "leaves": "surrendered"}),
    (
        r"probation|condition|restrict|limited|undertaking",
        {"practice": "with_conditions", "disciplinary": True},
    ),
    (
        r"^(not |in)active|expired|lapsed|closed|retired|deceased|cancel|non-?renew|denied|withdrawn|ended",
        {"practice": "no"},
    ),
)
"""Other words, the first that fits; what fits none is unknown."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a file seems to say.

    :param columns: by what is looked for (see :data:`NAMES`), the column; what was not recognised is missing.
    :param formats: how its dates are written; several where its values leave that open.
    :param words: the status words found, with what they seem to mean.
    :param needling: by technique, the column that says so and the words that do.
    :param only: by column, the words of the rows that tell of people, where others do not.
    """

    columns: Mapping[str, str]
    formats: tuple[str, ...]
    words: Mapping[str, Meaning]
    needling: Mapping[Technique, tuple[str, tuple[str, ...]]]
    only: Mapping[str, tuple[str, ...]]

    @property
    def is_ambiguous(self) -> bool:
        """Whether day and month cannot be told apart by the values."""
        return len(self.formats) > 1


def plain(name: str) -> str:
    """The letters and digits of a column's name, without marks and case."""
    bare = unicodedata.normalize("NFKD", name.replace("ß", "ss")).casefold()
    return re.sub(r"[^a-z0-9]", "", bare)


def guess(header: Sequence[str], rows: Rows) -> Guess:
    """What the columns of a file seem to mean.

    :param rows: some of its rows; each as wide as the header.
    """
    columns = {
        name: [row[at].strip() for row in rows if at < len(row)] for at, name in enumerate(header) if name
    }
    found: dict[str, str] = {}
    dates = {name: fits for name, cells in columns.items() if (fits := formats_of(cells))}
    named = {name: plain(name) for name in columns}
    number = _number(columns, named, dates)
    if number is not None:
        found["number"] = number
    only = _only(columns)
    taken = {*found.values(), *only}
    for what in ("last_day", "renewed_day", "first_day"):
        _take(what, [n for n in dates if n not in taken], named, found, taken)
    for what in (*PEOPLE, "city", "languages", "status_reason", "status", "register_class", "conditions"):
        others = [n for n in columns if n not in taken and n not in dates]
        if what in PEOPLE:
            others = [n for n in others if not OTHERS.search(named[n])]
        if what == "register_class":  # in words, where there is a code of it, too
            others.sort(key=lambda name: not _is_wordy(columns[name]))
        _take(what, others, named, found, taken)
    if {"given", "family"} <= found.keys():
        found.pop("name", None)
    read = [dates[name] for what, name in found.items() if what.endswith("_day")]
    words = _status_words(columns, found)
    meanings = {word: meaning_of(word) for word in words}
    return Guess(found, _common(read), meanings, _needling(columns, named), only)


def _only(columns: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The column that says which rows tell of people and which of something else, if there is one."""
    for name, cells in columns.items():
        words = dict.fromkeys(cell for cell in cells if cell)
        people = tuple(word for word in words if folded(word) in PEOPLE_WORDS)
        if people and all(folded(word) in PEOPLE_WORDS | OTHER_WORDS for word in words):
            return {name: people}
    return {}


def _take(
    what: str, candidates: Sequence[str], named: Mapping[str, str], found: dict[str, str], taken: set[str]
) -> None:
    pattern = re.compile(NAMES[what])
    fitting = [name for name in candidates if pattern.search(named[name])]
    if fitting:
        whole = [name for name in fitting if pattern.fullmatch(named[name])]
        found[what] = (whole or fitting)[0]
        taken.add(found[what])


def _number(
    columns: Mapping[str, Sequence[str]], named: Mapping[str, str], dates: Mapping[str, Any]
) -> str | None:
    """The column of registration numbers: one so named whose values are filled and differ.

    Of several, one with letters and digits: what stands before the digits tells one register from another.
    """
    pattern = re.compile(NAMES["number"])
    fitting = [
        name
        for name, cells in columns.items()
        if pattern.search(named[name]) and name not in dates and cells and _are_different(cells)
    ]
    mixed = [name for name in fitting if _holds_both(columns[name])]
    return next(iter(mixed or fitting), None)


def _is_wordy(cells: Sequence[str]) -> bool:
    return sum(sum(map(str.isalpha, cell)) > 4 for cell in cells) >= len(cells) / 2


def _are_different(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return len(filled) >= ENOUGH * len(cells) and len(set(filled)) >= ENOUGH * len(filled)


def _holds_both(cells: Sequence[str]) -> bool:
    both = [c for c in cells if any(map(str.isdigit, c)) and any(map(str.isalpha, c))]
    return len(both) >= ENOUGH * len(cells)


def formats_of(cells: Sequence[str]) -> tuple[str, ...]:
    """The ways of writing dates that fit what a column holds; several where its days leave that open."""
    filled = [cell for cell in cells if any(map(str.isdigit, cell))]
    if not filled:
        return ()
    fits = [
        text
        for text in FORMATS
        if sum(DatePattern.of(text).read(cell) is not None for cell in filled) >= ENOUGH * len(filled)
    ]
    return tuple(_tightest(fits))


def _tightest(fits: Sequence[str]) -> Iterator[str]:
    """Without those that another, stricter one makes needless: ``D/M/YYYY`` beside ``DD/MM/YYYY``."""
    for text in fits:
        stricter = re.sub(r"\bM\b", "MM", re.sub(r"\bD\b", "DD", text))
        if stricter == text or stricter not in fits:
            yield text


def _common(read: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The formats that all columns of days may be written in; else the first of each."""
    if not read:
        return ("YYYY-MM-DD",)
    common = [text for text in read[0] if all(text in other for other in read[1:])]
    return tuple(common) or tuple(dict.fromkeys(texts[0] for texts in read))


def _status_words(columns: Mapping[str, Sequence[str]], found: Mapping[str, str]) -> list[str]:
    """What a status and its reason say together, as a profile reads them."""
    names = [found[what] for what in ("status", "status_reason") if what in found]
    if not names:
        return []
    joined = (" / ".join(filter(None, cells)) for cells in zip(*(columns[n] for n in names), strict=True))
    words = list(dict.fromkeys(word for word in joined if word))
    return words if len({folded(word) for word in words}) <= MOST_WORDS else []


def meaning_of(word: str) -> Meaning:
    """What a status word seems to mean of practice. Only a word that says nothing else permits it."""
    text = folded(word)
    if text in PERMITS:
        return {"practice": "yes"}
    return next(
        (dict(meaning) for pattern, meaning in ENDS if re.search(pattern, text)), {"practice": "unknown"}
    )


def _needling(
    columns: Mapping[str, Sequence[str]], named: Mapping[str, str]
) -> dict[Technique, tuple[str, tuple[str, ...]]]:
    """The columns, named after a technique, in which each row is ticked or not."""
    found: dict[Technique, tuple[str, tuple[str, ...]]] = {}
    for technique, pattern in NEEDLING.items():
        for name, cells in columns.items():
            words = dict.fromkeys(cell for cell in cells if cell)
            ticked = tuple(word for word in words if folded(word) in TICKS)
            all_known = all(folded(word) in TICKS | UNTICKED for word in words)
            if re.search(pattern, named[name]) and ticked and all_known:
                found.setdefault(technique, (name, ticked))
    return found


def document_of(guessed: Guess, header: Sequence[str]) -> dict[str, Any]:
    """A mapping profile that says what was guessed; what it lacks is for a person to say.

    For the number and the name, without which there is none, columns stand in that nothing else was made of.
    """
    columns = dict(guessed.columns)
    left = [name for name in header if name and name not in columns.values()] or [
        name for name in header if name
    ]
    if "number" not in columns:
        columns["number"] = left[0]
    if not columns.keys() & {"name", "family", "given"}:
        columns["name"] = next((name for name in left if name != columns["number"]), columns["number"])
    names = {what: columns[what] for what in ("number", *PEOPLE, "city", "languages") if what in columns}
    term: dict[str, Any] = {
        what: columns[what]
        for what in ("register_class", "first_day", "renewed_day", "last_day", "conditions")
        if what in columns
    }
    status = [columns[what] for what in ("status", "status_reason") if what in columns]
    if status:
        term["status"] = {"column": status[0] if len(status) == 1 else status, "words": dict(guessed.words)}
    authorizations = [
        {
            "techniques": [technique.value],
            "when": {column: list(words)},
            "no_last_day": "open_ended",
            "status": {"absent": {"practice": "unknown"}},
        }
        for technique, (column, words) in guessed.needling.items()
    ]
    told: dict[str, Any] = {"columns": names, "registration": term}
    if guessed.only:
        told["only"] = {column: list(words) for column, words in guessed.only.items()}
    if authorizations:
        told["authorizations"] = authorizations
    return {**told, "dates": {"formats": list(guessed.formats[:1])}}
