"""A mapping profile: what a body's own columns, dates and status words mean. It is data, of TOML or JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.domain.decisions import StatusReport
from registry.domain.vocabulary import Mode, PracticePermission, Standing, Technique

from .dates import DatePattern
from .profile_shape import read_shape

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: the first filled of some columns, or always the same."""

    columns: tuple[str, ...] = ()
    constant: str | None = None


@dataclass(frozen=True, slots=True)
class NameColumns:
    """The parts of a name. ``full`` is a whole name in one cell; ``family_first`` says in which order."""

    full: Source | None = None
    family_first: bool = False
    prefix: Source | None = None
    given: Source | None = None
    middle: Source | None = None
    family: Source | None = None
    suffix: Source | None = None
    credentials: Source | None = None

    def sources(self) -> tuple[Source | None, ...]:
        """Every column that a part comes from."""
        return (self.full, self.prefix, self.given, self.middle, self.family, self.suffix, self.credentials)


@dataclass(frozen=True, slots=True)
class StatusColumns:
    """Where status words stand, and what each means.

    :param columns: joined by " / " where several are filled.
    :param words: by folded word. A word that is not among them is ``unknown``: never a yes, never a no.
    :param absent: what an empty or missing cell means.
    :param practice: the file itself says what its words mean, in this column and the two after it.
    """

    columns: tuple[str, ...]
    words: Mapping[str, StatusReport]
    absent: StatusReport | None
    practice: str | None = None
    disciplinary: str | None = None
    standing: str | None = None

    @property
    def tells_of_conditions(self) -> bool:
        """Whether a word alone can say that conditions apply."""
        return any(report.practice is PracticePermission.WITH_CONDITIONS for report in self.words.values())


@dataclass(frozen=True, slots=True)
class TermColumns:
    """What is told of a term, of a registration or an authorization.

    :param no_last_day_is_open_ended: else a term that would be in force and has no last day is ``unknown``.
    :param never: what stands in the place of a last day where there is none, folded.
    """

    status: StatusColumns
    first_day: Source | None = None
    last_day: Source | None = None
    renewed_day: Source | None = None
    status_day: Source | None = None
    no_last_day_is_open_ended: bool = False
    never: frozenset[str] = frozenset()
    register_class: Source | None = None
    conditions: Source | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationColumns:
    """An authorization that each row may tell of.

    :param when: it does where each of these columns holds one of the words (folded).
    """

    techniques: frozenset[Technique]
    when: Mapping[str, frozenset[str]]
    term: TermColumns
    mode: Mode = Mode.INDEPENDENT
    excluded_regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BodyFacts:
    """The body whose register it is, to be created where it is not known yet."""

    code: str
    name: str
    jurisdiction: str
    zone: str
    website: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A mapping profile.

    :param only: rows that hold other words (folded) in these columns are passed over.
    :param json_lists: lists stand in their cells as JSON; else separated by ``;``, ``,`` or ``|``.
    :param authorization_list: the column that holds all authorizations of a row, as exports write them.
    :param digest: tells this profile from every other; rows read with another are compared anew.
    """

    document: Document
    digest: str
    number: Source
    name: NameColumns
    registration: TermColumns
    dates: tuple[DatePattern, ...]
    title: str = ""
    body: BodyFacts | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    json_lists: bool = False
    only: Mapping[str, frozenset[str]] | None = None
    former: tuple[NameColumns, ...] = ()
    former_list: Source | None = None
    city: Source | None = None
    languages: Source | None = None
    withheld: Source | None = None
    authorizations: tuple[AuthorizationColumns, ...] = ()
    authorization_list: str | None = None

    def columns(self) -> tuple[str, ...]:
        """Every column that the profile reads, once, in the order in which it names them."""
        found: dict[str, None] = {}
        for source in self._sources():
            found.update(dict.fromkeys(() if source is None else source.columns))
        for column in (*(self.only or ()), *(c for a in self.authorizations for c in a.when)):
            found.setdefault(column)
        return tuple(found)

    def _sources(self) -> tuple[Source | None, ...]:
        names = [source for name in (self.name, *self.former) for source in name.sources()]
        terms = [s for t in (self.registration, *(a.term for a in self.authorizations)) for s in _told(t)]
        listed = () if self.authorization_list is None else (Source((self.authorization_list,)),)
        own = (self.former_list, self.city, self.languages, self.withheld)
        return (self.number, *names, *terms, *own, *listed)


def _told(term: TermColumns) -> tuple[Source | None, ...]:
    status = term.status
    meaning = tuple(c for c in (status.practice, status.disciplinary, status.standing) if c is not None)
    days = (term.first_day, term.last_day, term.renewed_day, term.status_day)
    return (*days, term.register_class, term.conditions, Source((*status.columns, *meaning)))


def folded(text: str) -> str:
    """The form in which status words and column names are compared: case and spacing do not count."""
    return " ".join(text.split()).casefold()


def read_profile(document: Document) -> Profile:
    """A profile from its TOML or JSON document.

    :raises registry.errors.Invalid: naming each place that cannot be right.
    """
    shape = read_shape(document)
    columns, file = shape["columns"], shape["file"]
    json_lists = file["lists"] == "json"
    former = columns["former"]
    return Profile(
        document=document,
        digest=hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest(),
        title=shape["title"],
        body=None if shape["body"] is None else BodyFacts(**shape["body"]),
        delimiter=file["delimiter"],
        encoding=file["encoding"],
        sheet=file["sheet"],
        json_lists=json_lists,
        only=_words_by_column(shape["only_rows"]),
        number=_source(columns["number"]) or Source(),
        name=_name(columns),
        former=tuple(_name(parts) for parts in former) if isinstance(former, list) else (),
        former_list=_source(former) if isinstance(former, str) else None,
        city=_source(columns["city"]),
        languages=_source(columns["languages"]),
        withheld=_source(columns["withheld"]),
        registration=_term(shape["registration"]),
        dates=tuple(DatePattern.of(text) for text in shape["dates"]["formats"]),
        authorizations=tuple(_authorization(a) for a in shape["authorizations"]),
        authorization_list=columns["authorizations"],
    )


def _source(told: Any) -> Source | None:
    if told is None:
        return None
    if isinstance(told, Mapping):
        return Source(constant=told["constant"])
    return Source((told,) if isinstance(told, str) else tuple(told))


def _words_by_column(told: Mapping[str, list[str]]) -> dict[str, frozenset[str]]:
    return {column: frozenset(map(folded, words)) for column, words in told.items()}


def _name(parts: Document) -> NameColumns:
    return NameColumns(
        _source(parts["name"]),
        parts["name_order"] == "family_first",
        *(_source(parts[p]) for p in ("prefix", "given", "middle", "family", "suffix", "credentials")),
    )


def _term(told: Document) -> TermColumns:
    return TermColumns(
        _status(told["status"]),
        first_day=_source(told["first_day"]),
        last_day=_source(told["last_day"]),
        renewed_day=_source(told["renewed_day"]),
        status_day=_source(told["status_day"]),
        no_last_day_is_open_ended=told["no_last_day"] == "open_ended",
        never=frozenset(map(folded, told["never"])),
        register_class=_source(told.get("register_class")),
        conditions=_source(told["conditions"]),
    )


def _authorization(told: Document) -> AuthorizationColumns:
    return AuthorizationColumns(
        techniques=frozenset(map(Technique, told["techniques"])),
        when=_words_by_column(told["when"]),
        term=_term(told),
        mode=Mode(told["mode"]),
        excluded_regions=tuple(told["excluded_regions"]),
    )


def _status(told: Document | None) -> StatusColumns:
    if told is None:
        return StatusColumns((), {}, report("not stated", {"practice": PracticePermission.UNKNOWN}))
    source = _source(told["column"])
    words = {folded(word): report(word, meaning) for word, meaning in told["words"].items()}
    absent = told["absent"]
    return StatusColumns(
        columns=() if source is None else source.columns,
        words=words,
        absent=None if absent == "in_force" else report("not stated", absent or UNKNOWN),
        practice=told["practice"],
        disciplinary=told["disciplinary"],
        standing=told["standing"],
    )


UNKNOWN: Document = {"practice": PracticePermission.UNKNOWN}


def report(word: str, meaning: Document) -> StatusReport:
    """A status word with what it means; what it leaves follows from that where it is not said."""
    practice = PracticePermission(meaning["practice"])
    disciplinary = bool(meaning.get("disciplinary", False))
    leaves = meaning.get("leaves")
    return StatusReport(
        word,
        practice,
        disciplinary,
        _leaves(practice, disciplinary=disciplinary) if leaves is None else Standing(leaves),
    )


def _leaves(practice: PracticePermission, *, disciplinary: bool) -> Standing:
    if practice is PracticePermission.UNKNOWN:
        return Standing.UNKNOWN
    if practice is PracticePermission.NO:
        return Standing.SUSPENDED if disciplinary else Standing.LAPSED
    return Standing.IN_FORCE
