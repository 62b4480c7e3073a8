"""The demonstration's past, recorded by the register's own services, each thing at its own moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.rules import add_months
from registry.domain.vocabulary import DecisionKind, NameKind
from registry.errors import Stale
from registry.services import bodies, courses, decisions, merges, people, registrations, trainings, wishes
from registry.services.lapses import LapseQuestion, acknowledge_lapse, list_lapses
from registry.services.sweep import sweep
from registry.store.courses import Course
from registry.store.people import NewName
from registry.store.records import Body, RegistrationRecord
from registry.store.trainings import TrainingFacts

from .bodies import DRY, HOUSES, ULTRASOUND, YEARS_OF_RULES, House, Taught
from .cast import Member, Part, the_cast
from .telling import Given, Said

REGISTRAR = "registrar:demonstration"
OPERATOR = "operator:demonstration"
TRAINED_BEFORE = timedelta(days=45)
REFRESHED_EVERY = 20
"""Months between refreshers, where a body asks for them."""
NEGLECTS = 5
"""One in so many lets them slip."""

OVERVIEW = Taught(
    "Needling under ultrasound", "Imaging and Needling Group", 12, 12, 20, 5, frozenset({ULTRASOUND})
)
REFRESHER_HOURS = 6
ACKNOWLEDGED = 6
"""Lapses that somebody has seen to already."""

Act = Callable[[datetime], None]
Drafts = Callable[[RegistrationRecord], Sequence[decisions.Draft]]
Who = Callable[[], str]
"""The identifier of a person who is recorded by then."""


@dataclass(slots=True)
class Played:
    """What a part has come to: identifiers of the registration, its authorizations and named decisions."""

    registration_id: str = ""
    record: RegistrationRecord | None = None
    authorizations: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)


class Stage:
    """Everything that is to be recorded, put in the order of its moments, then recorded."""

    def __init__(self, tx: Connection, at: datetime) -> None:
        self._tx = tx
        self._at = at
        self._acts: list[tuple[datetime, int, Act]] = []
        self._bodies: dict[str, Body] = {}
        self._courses: dict[str, Course] = {}

    def open_bodies(self) -> None:
        """Take in the bodies with their rules and courses, on the first morning."""
        for house in HOUSES.values():
            today = local_date(self._at, house.zone)
            first = self._moment(house, date(today.year - YEARS_OF_RULES, 1, 2), 0)
            facts = bodies.BodyFacts(
                house.code,
                house.name,
                house.jurisdiction,
                house.zone,
                house.website,
                house.publishes_training,
                house.publishes_former_names,
            )
            body = bodies.create_body(self._tx, facts, at=first)
            for version in house.versions(today, first):
                bodies.add_rules(self._tx, body, version, by=OPERATOR, at=first)
                body = bodies.get_body(self._tx, house.code)
            self._bodies[house.code] = body
            self._courses[house.code] = self._course(house, body, today, first)

    def _course(self, house: House, body: Body, today: date, at: datetime) -> Course:
        taught = house.course
        approvals = [
            (date(today.year - first, 1, 1), None if last is None else date(today.year - last, 12, 31))
            for first, last in taught.approved
        ]
        return courses.add_course(
            self._tx,
            body,
            title=taught.title,
            provider=taught.provider,
            techniques=taught.techniques,
            approvals=approvals,
            by=REGISTRAR,
            at=at,
        )

    def enter(self, member: Member, position: int) -> None:
        """Note all that is to be recorded about a person."""
        who: list[str] = []
        told = [(part, self._story(part)) for part in member.parts]
        first_house, first_day = member.parts[0].house, min(s.recorded_on for _, said in told for s in said)

        def add(at: datetime) -> None:
            added = people.add_person(
                self._tx,
                member.names,
                languages=member.languages,
                withheld=member.withheld,
                by=REGISTRAR,
                at=at,
            )
            who.append(added.id)

        self._plan(first_house, first_day - timedelta(days=1), position, add)
        if member.duplicate is not None:
            self._plan_duplicate(member, who, first_day, position)
        for number, (part, said) in enumerate(told):
            as_duplicate = member.duplicate is not None and number == len(told) - 1
            self._play(part, said, partial(who.__getitem__, -1 if as_duplicate else 0), position)
        self._plan_changes(member, who, position)

    def _story(self, part: Part) -> list[Said]:
        today = local_date(self._at, part.house.zone)
        said = part.story(Given(part.house, today, part.position))
        return sorted(said, key=lambda one: one.recorded_on)

    def _play(self, part: Part, said: Sequence[Said], who: Who, position: int) -> None:
        played = Played()
        for training in self._trainings(part, said):
            self._plan(part.house, training.completed_on, position, self._training_act(part, training, who))
        for one in said:
            self._plan(part.house, one.recorded_on, position, self._act(part, one, who, played))

    def _training_act(self, part: Part, facts: TrainingFacts, who: Who) -> Act:
        def record(at: datetime) -> None:
            person = people.get_person(self._tx, who())
            trainings.add_training(
                self._tx, person, self._bodies[part.house.code], facts, by=REGISTRAR, at=at
            )

        return record

    def _trainings(self, part: Part, said: Sequence[Said]) -> Iterator[TrainingFacts]:
        grants = [s for s in said if s.about is not None and s.kind is DecisionKind.GRANTED]
        for grant in grants if part.trained else ():
            day = min(grant.effective_on, grant.recorded_on) - TRAINED_BEFORE
            if grant.about == ULTRASOUND.value:
                yield _facts(OVERVIEW, day, None)
                continue
            facts = _facts(part.house.course, day, self._courses[part.house.code].id)
            yield replace(
                facts,
                hours_theory=round(facts.hours_theory * part.trained),
                hours_practical=round(facts.hours_practical * part.trained),
                hours_in_person=round(facts.hours_in_person * part.trained),
            )
            yield from self._refreshers(part, facts)

    def _refreshers(self, part: Part, taken: TrainingFacts) -> Iterator[TrainingFacts]:
        asks = any(r.refresher_hours for r in part.house.rules.get("requirements", {}).values())
        if not asks or part.position % NEGLECTS == 0:
            return
        day = add_months(taken.completed_on, REFRESHED_EVERY)
        while day < local_date(self._at, part.house.zone):
            for meeting in range(2):
                yield TrainingFacts(
                    "Refresher: safe needling",
                    taken.provider,
                    taken.techniques,
                    day - timedelta(days=meeting),
                    hours_theory=REFRESHER_HOURS / 2,
                    hours_practical=REFRESHER_HOURS / 2,
                    hours_in_person=REFRESHER_HOURS,
                )
            day = add_months(day, REFRESHED_EVERY)

    def _act(self, part: Part, said: Said, who: Who, played: Played) -> Act:
        def record(at: datetime) -> None:
            if said.voids is not None:
                self._void(said, played, at)
            elif not played.registration_id:
                self._register(part, said, who(), played, at)
            else:
                self._decide(said, played, at)

        return record

    def _register(self, part: Part, said: Said, person_id: str, played: Played, at: datetime) -> None:
        applied = registrations.Applied(person_id, part.number, part.city)
        body = self._bodies[part.house.code]
        change = registrations.register(self._tx, body, applied, _wish(said), by=REGISTRAR, at=at)
        played.registration_id, played.record = change.after.id, change.after

    def _decide(self, said: Said, played: Played, at: datetime) -> None:
        about = said.about
        if about is not None and about not in played.authorizations:
            record = decisions.get_record(self._tx, played.registration_id)
            change, id_ = wishes.grant_authorization(self._tx, record, _wish(said), by=REGISTRAR, at=at)
            played.authorizations[about], played.record = id_, change.after
            return
        subject = None if about is None else played.authorizations[about]
        change = self._record(played, lambda record: wishes.drafts_of(record, subject, _wish(said)), at)
        if said.named is not None:
            played.named[said.named] = change.recorded[-1].decision.id

    def _void(self, said: Said, played: Played, at: datetime) -> None:
        voided = played.named[said.voids or ""]
        self._record(played, lambda record: [wishes.void_draft(record, voided, reason=said.reason)], at)

    def _record(self, played: Played, drafts: Drafts, at: datetime) -> decisions.Change:
        """Record upon what the last decision left; read anew only if something else has changed since."""
        record = played.record or decisions.get_record(self._tx, played.registration_id)
        try:
            change = decisions.record_decisions(self._tx, record, drafts(record), by=REGISTRAR, at=at)
        except Stale:
            record = decisions.get_record(self._tx, played.registration_id)
            change = decisions.record_decisions(self._tx, record, drafts(record), by=REGISTRAR, at=at)
        played.record = change.after
        return change

    def _plan_duplicate(self, member: Member, who: list[str], first_day: date, position: int) -> None:
        """Record the person a second time under another spelling, and join the records later."""
        house = member.parts[-1].house

        def add(at: datetime) -> None:
            given, _, family = (member.duplicate or "").partition(" ")
            spelled = NewName(NameKind.PUBLISHED, member.duplicate or "", given, family)
            who.append(people.add_person(self._tx, [spelled], by=REGISTRAR, at=at).id)

        def merge(at: datetime) -> None:
            kept = people.get_person(self._tx, who[0])
            reason = "One person, recorded twice."
            merges.merge_people(self._tx, kept, who[1], reason=reason, by=OPERATOR, at=at)

        self._plan(house, first_day - timedelta(days=1), position, add)
        self._plan(house, local_date(self._at, house.zone) - timedelta(days=100), position, merge)

    def _plan_changes(self, member: Member, who: Sequence[str], position: int) -> None:
        house = member.parts[0].house

        def marry(at: datetime) -> None:
            person = people.get_person(self._tx, who[0])
            names = [name for name in (member.married,) if name is not None]
            change = people.PersonChange(
                names=names, previous_becomes=people.PreviousName.FORMER, reason="Marriage."
            )
            people.change_person(self._tx, person, change, by=REGISTRAR, at=at)

        if member.married is not None:
            day = local_date(self._at, house.zone) - timedelta(days=370)
            self._plan(house, day, position, marry)

    def _plan(self, house: House, day: date, position: int, act: Act) -> None:
        self._acts.append((self._moment(house, day, position), len(self._acts), act))

    def _moment(self, house: House, day: date, position: int) -> datetime:
        """Some moment of a working day, but not one that has not come."""
        clock = time(9 + position % 8, position * 7 % 60)
        moment = datetime.combine(day, clock, tzinfo=ZoneInfo(house.zone))
        return min(moment, self._at - timedelta(minutes=5))

    def perform(self) -> None:
        """Record everything in the order of its moments; sweep in between, as time would have it."""
        swept: date | None = None
        for moment, _, act in sorted(self._acts, key=lambda act: act[:2]):
            quarter = date(moment.year, 1 + (moment.month - 1) // 3 * 3, 1)
            if swept is not None and quarter > swept:
                self._sweep(moment)
            swept = quarter
            act(moment)
        self._sweep(self._at)
        self._acknowledge()

    def _sweep(self, at: datetime) -> None:
        def within() -> AbstractContextManager[Connection]:
            return nullcontext(self._tx)

        for _ in sweep(within, at=at):
            pass

    def _acknowledge(self) -> None:
        found = list_lapses(self._tx, LapseQuestion(), after=None, limit=ACKNOWLEDGED, at=self._at)
        for item in found:
            if item.resolved_by is None and item.days_amiss is not None:
                note = "Wrote to the holder; a reply is awaited."
                acknowledge_lapse(self._tx, item, note, by=REGISTRAR, at=self._at)


def _wish(said: Said) -> wishes.Wish:
    return wishes.Wish(
        said.kind,
        said.effective_on,
        said.through,
        scope=said.scope,
        report=said.report,
        reason=said.reason,
        private_note=said.private_note,
        override_reason=said.override_reason,
    )


def _facts(taught: Taught, day: date, course_id: str | None) -> TrainingFacts:
    return TrainingFacts(
        taught.title,
        taught.provider,
        taught.techniques | {DRY} if taught.techniques != OVERVIEW.techniques else taught.techniques,
        day,
        hours_theory=taught.theory,
        hours_practical=taught.practical,
        hours_in_person=taught.in_person,
        supervised_sessions=taught.sessions,
        examination_passed=True,
        safety_component=True,
        course_id=course_id,
    )


def load(tx: Connection, at: datetime) -> None:
    """Record the whole demonstration in one transaction."""
    stage = Stage(tx, at)
    stage.open_bodies()
    for position, member in enumerate(the_cast()):
        stage.enter(member, position)
    stage.perform()
