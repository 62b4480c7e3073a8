"""What one row of a snapshot comes to: decisions and changes that explain it. Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from registry.clock import new_id
from registry.domain.decisions import Decision
from registry.domain.explanation import Unexplainable, explain, explain_unlisted
from registry.domain.names import fold, number_key
from registry.domain.snapshot import Entry, Stated, StatedName, next_doubt
from registry.domain.timeline import Timeline
from registry.domain.vocabulary import DecisionKind, NameKind, Technique
from registry.errors import Conflict
from registry.sheets.reading import clean
from registry.store.import_rows import Mark
from registry.store.imports import Reject
from registry.store.people import NewName
from registry.store.records import Body, Name, Person, RecordedDecision, RegistrationRecord

from .decisions import Change, after_all, refuse_double_grant
from .people import PersonChange, PreviousName

Techniques = frozenset[Technique]


def reject(line: int, cells: Sequence[str], *problems: tuple[str, str, str]) -> Reject:
    """A row that is not taken in, for problems of a column, a value, and what is wrong with it."""
    told = [
        {"column": clean(column), "value": clean(value), "detail": clean(detail)}
        for column, value, detail in problems
    ]
    return Reject(line, [clean(cell) for cell in cells], told)


class Refused(Exception):
    """A row that says what the register cannot come to. The message says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one row comes to.

    :param record: the registration as it is, or (``is_new``) as it will be opened.
    :param recorded: the decisions that explain the row.
    :param person: what changes of the holder; ``None`` for nothing.
    :param city: another city, where the row names one (``""`` for none).
    """

    line: int
    fingerprint: str
    record: RegistrationRecord
    is_new: bool = False
    recorded: tuple[RecordedDecision, ...] = ()
    person: PersonChange | None = None
    city: str | None = None
    name_kept: bool = False

    @property
    def changes_nothing(self) -> bool:
        """Whether the register says already what the row says."""
        return not self.is_new and not self.recorded and self.person is None and self.city is None

    @property
    def changes_registration(self) -> bool:
        """Whether the row changes the registration, whatever it changes of its holder."""
        return bool(self.recorded) or self.city is not None

    def after(self) -> RegistrationRecord:
        """The record with the decisions."""
        return self.record.with_decisions(self.recorded)

    def mark(self, day: date) -> Mark:
        """That the registration, with the decisions, agrees with the row on a local day."""
        claimed = 1 if self.changes_registration and not self.is_new else 0
        return Mark(
            registration_id=self.record.id,
            fingerprint=self.fingerprint,
            registration_version=self.record.version + claimed,
            practitioner_version=self.record.person.version,
            compared_on=day,
            doubt_from=self.doubt_from(day),
        )

    def doubt_from(self, day: date) -> date | None:
        """The first day on which the same row may come to something else."""
        if self.is_new and all(_is_lasting(recorded.decision, day) for recorded in self.recorded):
            return None
        after = self.after()
        subjects = (None, *after.authorization_ids)
        doubts = (next_doubt(after.timeline(subject), day) for subject in subjects)
        return min((doubt for doubt in doubts if doubt is not None), default=None)


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans the rows of one import.

    :param day: the local day of which the file speaks.
    :param at: the instant (UTC) of recording.
    :param mapped: the sets of techniques that the file can tell of; ``None`` for any.
    """

    body: Body
    import_id: str
    day: date
    by: str
    at: datetime
    mapped: frozenset[Techniques] | None = None
    reason: str = field(default="")

    def open(self, line: int, fingerprint: str, entry: Entry) -> Plan:
        """What a row comes to whose number is new.

        :raises Refused: it cannot be explained.
        """
        record = RegistrationRecord(
            id=new_id(),
            body=self.body,
            person=_person(entry),
            number=entry.number,
            number_key=number_key(entry.number),
            city=entry.city or None,
            version=1,
            created_at=self.at,
        )
        return Plan(line, fingerprint, record, is_new=True, recorded=self._explained(record, entry))

    def compare(self, line: int, fingerprint: str, entry: Entry, record: RegistrationRecord) -> Plan:
        """What a row comes to whose number is known. Whether the holder is shared is the caller's to see.

        :raises Refused: it cannot be explained.
        """
        city = entry.city if entry.city is not None and (entry.city or None) != record.city else None
        city = None if record.person.is_erased else city
        person = _person_change(record.person, entry, self.reason)
        recorded = self._explained(record, entry)
        return Plan(line, fingerprint, record, recorded=recorded, person=person, city=city)

    def _explained(self, record: RegistrationRecord, entry: Entry) -> tuple[RecordedDecision, ...]:
        try:
            recorded = tuple(self._decisions(record, entry))
        except Unexplainable as error:
            raise Refused(f"no decisions lead from the register to this row: {error}") from error
        if recorded and len(entry.authorizations or ()) + len(record.authorization_ids) > 1:
            try:
                refuse_double_grant(Change(record, record.with_decisions(recorded), recorded))
            except Conflict as error:
                raise Refused(error.detail) from error
        return recorded

    def _decisions(self, record: RegistrationRecord, entry: Entry) -> Iterator[RecordedDecision]:
        at = after_all(record, self.at)
        grace = self.body.rules.registration_grace
        own = record.decisions_on(None)
        for decision in explain(entry.registration, own, day=self.day, at=at, new_id=new_id, grace=grace):
            yield self._recorded(None, decision)
        if entry.authorizations is not None:
            yield from self._on_authorizations(record, entry.authorizations, at)

    def _on_authorizations(
        self, record: RegistrationRecord, stated: Sequence[Stated], at: datetime
    ) -> Iterator[RecordedDecision]:
        known = authorizations_by_techniques(record, self.day)
        grace = self.body.rules.authorization_grace
        for one in stated:
            subject = known.pop(one.scope.techniques, None)
            decided = [] if subject is None else record.decisions_on(subject)
            drafts = explain(one, decided, day=self.day, at=at, new_id=new_id, grace=grace)
            subject = subject or new_id()
            yield from (self._recorded(subject, draft) for draft in drafts)
        for techniques, subject in known.items():
            if self.mapped is None or techniques in self.mapped:
                own = record.decisions_on(subject)
                drafts = explain_unlisted(own, day=self.day, at=at, new_id=new_id, grace=grace)
                yield from (self._recorded(subject, draft) for draft in drafts)

    def _recorded(self, subject: str | None, decision: Decision) -> RecordedDecision:
        return RecordedDecision(decision, subject, self.by, self.reason, import_id=self.import_id)


def _is_lasting(decision: Decision, day: date) -> bool:
    """Whether nothing but a term's end comes of a decision after ``day``."""
    lifts = decision.kind is DecisionKind.SUSPENDED and decision.through is not None
    return decision.effective_on <= day and not lifts


def authorizations_by_techniques(record: RegistrationRecord, day: date) -> dict[Techniques, str]:
    """The authorizations by what they name; of several for the same, one that is in force, or the latest."""
    found: dict[Techniques, tuple[bool, str]] = {}
    for id_ in record.authorization_ids:
        timeline = record.timeline(id_)
        named = _named(timeline, day)
        this = (timeline.on(day).standing.permits_practice, id_)
        if named is not None and this > found.get(named, (False, "")):
            found[named] = this
    return {named: id_ for named, (_, id_) in found.items()}


def _named(timeline: Timeline, day: date) -> Techniques | None:
    span = timeline.on(day)
    scope = span.scope or timeline.spans[-1].scope
    return None if scope is None else scope.techniques


def _person(entry: Entry) -> Person:
    names = [Name(new_id(), name.kind, name.full_name, name.given, name.family) for name in _names(entry)]
    return Person(new_id(), 1, entry.withheld, entry.languages or (), tuple(names))


def _names(entry: Entry) -> Iterator[NewName]:
    yield _published(entry.name)
    for former in entry.former_names or ():
        if former != entry.name.full_name:
            yield NewName(NameKind.FORMER, former)


def _published(name: StatedName) -> NewName:
    return NewName(NameKind.PUBLISHED, name.full_name, name.given, name.family)


def _person_change(person: Person, entry: Entry, reason: str) -> PersonChange | None:
    """What a row changes of a person. Former names are added, never taken away; no one is released."""
    if person.is_erased:
        return None
    wanted: dict[str, Any] = {}
    old = next((name for name in person.names if name.kind is NameKind.PUBLISHED), None)
    renamed = old is None or _is_another(old, entry.name)
    added = [name for name in _names(entry) if name.kind is NameKind.FORMER and _is_missing(name, person)]
    if renamed or added:
        kept = [
            NewName(n.kind, n.full_name, n.given, n.family)
            for n in person.names
            if not (renamed and n.kind is NameKind.PUBLISHED)
        ]
        new = [_published(entry.name)] if renamed else []
        wanted["names"] = [*new, *kept, *added]
    if old is not None and renamed and fold(old.full_name) != fold(entry.name.full_name):
        wanted["previous_becomes"] = PreviousName.FORMER
    if entry.languages is not None and entry.languages != person.languages:
        wanted["languages"] = entry.languages
    if entry.withheld and not person.withheld:
        wanted["withheld"] = True
    return PersonChange(**wanted, reason=reason) if wanted else None


def _is_another(old: Name, new: StatedName) -> bool:
    if old.full_name != new.full_name:
        return True
    parts = [(old.given, new.given), (old.family, new.family)]
    return any(stated is not None and stated != known for known, stated in parts)


def _is_missing(name: NewName, person: Person) -> bool:
    return all(known.full_name != name.full_name for known in person.names)
