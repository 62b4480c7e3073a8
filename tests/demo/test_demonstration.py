# ruff: noqa: RUF001 - letters that look like others are looked for
"""The demonstration register: complete on whatever day it is loaded, and recorded as a register would be."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from registry.demo import SHOWCASES, load_demonstration
from registry.demo.bodies import HOUSES
from registry.demo.cast import Part, the_cast
from registry.demo.loading import Stage
from registry.demo.telling import Given
from registry.domain.decisions import Decision, Scope
from registry.domain.localtime import local_date
from registry.domain.rules import RulesHistory
from registry.domain.timeline import fold
from registry.domain.verdict import (
    AuthorizationTimeline,
    Question,
    Standings,
    Verdict,
    give_verdict,
)
from registry.domain.vocabulary import (
    DecisionKind,
    LapseKind,
    LapseState,
    Mode,
    NameKind,
    Outcome,
    Reason,
    Standing,
    Technique,
)
from registry.services.check import find_differences
from registry.services.lapses import LapseQuestion, list_lapses
from registry.services.look_up import find, verify, verify_as_known
from registry.services.sweep import sweep
from registry.store import tables
from tests.support.factories import database

AT = datetime(2026, 11, 20, 18, tzinfo=UTC)
DAYS = [
    *(date(2026, month, day) for month in (1, 3, 4, 9, 10, 11, 12) for day in (1, 15, 30)),
    *(date(2026, 3, 31), date(2026, 12, 31), date(2028, 2, 29), date(2027, 2, 28), date(2031, 7, 14)),
]
NEVER = {Outcome.NOT_FOUND, Reason.NEVER_REGISTERED}
"""What is answered about a number that nobody has."""


def standings_of(part: Part, today: date) -> Standings:
    """A part folded without a database, as if all was recorded on the day it was told of."""
    moment = datetime.combine(today, time(12), tzinfo=UTC)
    rules = RulesHistory.of(part.house.versions(today, moment))
    said = sorted(part.story(Given(part.house, today, part.position)), key=lambda one: one.recorded_on)
    by_subject: dict[str | None, list[Decision]] = {None: []}
    names = {one.named: f"d{number:03}" for number, one in enumerate(said) if one.named}
    subjects = {one.named: one.about for one in said if one.named}
    for number, one in enumerate(said):
        recorded = datetime.combine(one.recorded_on, time(12), tzinfo=UTC) + timedelta(seconds=number)
        assert one.recorded_on <= today
        subject = subjects[one.voids] if one.voids else one.about
        earlier = fold(by_subject.get(subject, []), grace=rules.registration_grace).on(one.effective_on).scope
        scope = Scope(**one.scope) if one.kind is DecisionKind.GRANTED else None
        if one.kind is DecisionKind.CONDITIONS_SET:
            scope = Scope(**{**{f: getattr(earlier, f) for f in ("techniques", "mode")}, **one.scope})
        decision = Decision(
            f"d{number:03}",
            one.kind,
            one.effective_on,
            recorded,
            one.through,
            scope,
            one.report,
            names[one.voids] if one.voids else None,
        )
        by_subject.setdefault(subject, []).append(decision)
    registration = fold(by_subject.pop(None), grace=rules.registration_grace)
    authorizations = [
        AuthorizationTimeline(label, fold(decisions, grace=rules.authorization_grace))
        for label, decisions in by_subject.items()
        if label is not None
    ]
    for timeline in (registration, *(a.timeline for a in authorizations)):
        assert timeline.objections == ()
    return Standings(registration, authorizations, rules)


@pytest.mark.parametrize("today", DAYS)
def test_on_whatever_day_it_is_loaded_every_standing_outcome_and_reason_is_there(today: date):
    outcomes: Counter[Outcome] = Counter()
    reasons: Counter[Reason] = Counter()
    registered: Counter[Standing] = Counter()
    authorized: Counter[Standing] = Counter()
    for member in the_cast():
        for part in member.parts:
            standings = standings_of(part, today)
            verdict = give_verdict(Question(Technique.DRY_NEEDLING, today), standings)
            outcomes[verdict.outcome] += 1
            reasons.update(verdict.reasons)
            assert standings.registration is not None
            registered[standings.registration.on(today).standing] += 1
            authorized.update(a.timeline.on(today).standing for a in standings.authorizations)
    assert set(outcomes) == set(Outcome) - NEVER
    assert set(reasons) == set(Reason) - NEVER
    assert set(registered) == set(authorized) == set(Standing)
    assert min(*outcomes.values(), *reasons.values(), *registered.values(), *authorized.values()) >= 2


@pytest.mark.parametrize("today", DAYS)
def test_each_showcase_shows_what_it_says(today: date):
    parts = {(part.house.code, part.number): part for member in the_cast() for part in member.parts}
    for showcase in SHOWCASES:
        standings = standings_of(parts[showcase.body, showcase.number], today)
        verdict = give_verdict(Question(Technique.DRY_NEEDLING, today), standings)
        assert verdict.outcome is showcase.outcome, showcase


def test_nobody_is_called_like_another_and_no_number_is_given_twice():
    cast = the_cast()
    published = [n.full_name for member in cast for n in member.names if n.kind is NameKind.PUBLISHED]
    assert [name for name, times in Counter(published).items() if times > 1] == []
    numbers = Counter((part.house.code, part.number) for member in cast for part in member.parts)
    assert max(numbers.values()) == 1
    assert 340 <= len(cast) <= 400
    everywhere = Counter(number for _, number in numbers)
    assert everywhere["10001"] == 2


def test_the_names_are_of_many_scripts_and_spellings():
    names = [name.full_name for member in the_cast() for name in member.names]
    for wanted in (
        "O'",
        "O’",
        "ʻ",
        "ł",
        "ø",
        "Þ",
        "ß",
        "ı",
        "ñ",
        "ā",
        "Đ",
        "ọ",
        "月",
        "남",
        "ال",
        "Ж",
    ):
        assert any(wanted in name for name in names), wanted
    assert any(" " not in name for name in names)
    assert any(name.count(" ") >= 3 for name in names)


@pytest.fixture
def engine(database_url):
    with database(database_url) as made:
        yield made


@pytest.fixture
def loaded(engine):
    with engine.begin() as tx:
        load_demonstration(tx, AT)
    return engine


def today_of(zone: str) -> date:
    return local_date(AT, zone)


def asked(tx, body: str, number: str, **question) -> Verdict:
    found = find(tx, body, number)
    plain = {"techniques": (Technique.DRY_NEEDLING,), "mode": Mode.INDEPENDENT, "on": None, "at": AT}
    if "known_at" in question:
        return verify_as_known(tx, found, number, **{**plain, **question}).verdicts[0]
    return verify(found, number, **{**plain, **question}).verdicts[0]


def test_it_loads_by_the_services_and_answers(loaded):
    with loaded.begin() as tx:
        for showcase in SHOWCASES:
            verdict = asked(tx, showcase.body, showcase.number)
            assert verdict.outcome is showcase.outcome, showcase
        assert asked(tx, "ca-ab", "PT-99999").outcome is Outcome.NOT_FOUND
        _look_back(tx)
        _look_at_the_rest(tx)
    assert [str(difference) for difference in find_differences(loaded.begin)] == []
    for swept in sweep(loaded.begin, at=AT):
        assert (swept.announced, swept.through) == (0, today_of(HOUSES[swept.code].zone))


def _look_back(tx) -> None:
    """What was known earlier is answered as it was then."""
    zone = HOUSES["ca-ab"].zone
    day = today_of(zone) - timedelta(days=30)
    before = datetime.combine(today_of(zone) - timedelta(days=15), time(12), tzinfo=ZoneInfo(zone))
    assert asked(tx, "ca-ab", "PT-10014", on=day).outcome is Outcome.REGISTRATION_NOT_IN_FORCE
    assert asked(tx, "ca-ab", "PT-10014", on=day, known_at=before).outcome is Outcome.AUTHORIZED
    mistaken = datetime.combine(today_of(zone) - timedelta(days=48), time(12), tzinfo=ZoneInfo(zone))
    day = local_date(mistaken, zone)
    assert asked(tx, "ca-ab", "PT-10015", on=day, known_at=mistaken).outcome is not Outcome.AUTHORIZED
    assert asked(tx, "ca-ab", "PT-10015", on=day).outcome is Outcome.AUTHORIZED


def _look_at_the_rest(tx) -> None:
    p, n, e = tables.practitioners, tables.practitioner_names, tables.events
    assert tx.execute(select(func.count()).where(p.c.withheld)).scalar_one() >= 3
    assert tx.execute(select(func.count()).where(p.c.merged_into.is_not(None))).scalar_one() == 1
    assert tx.execute(select(func.count()).where(n.c.kind == NameKind.FORMER)).scalar_one() >= 3
    types = set(tx.execute(select(e.c.type)).scalars())
    assert {"registration.lapsed", "authorization.expiring", "registration.voided"} <= types
    days = list(tx.execute(select(e.c.occurred_at).order_by(e.c.seq)).scalars())
    assert days == sorted(days)
    assert days[-1] <= AT
    items = list_lapses(tx, LapseQuestion(), after=None, limit=5000, at=AT)
    assert {item.lapse.kind for item in items} == set(LapseKind)
    assert {item.state for item in items} == set(LapseState)
    withheld = tx.execute(select(tables.entries.c.document)).scalars()
    assert not any("hours a week" in json.loads(text).get("name", "") for text in withheld)


def test_the_same_instant_gives_the_same_register(sqlite_databases):
    def shown(url: str) -> list[tuple[str, str]]:
        with database(url) as engine, engine.begin() as tx:
            stage = Stage(tx, AT)
            stage.open_bodies()
            for position, member in enumerate(the_cast()[:40]):
                stage.enter(member, position)
            stage.perform()
            r, s = tables.registrations, tables.spans
            joined = select(r.c.number, s.c.first_day, s.c.standing).join(s, s.c.registration_id == r.c.id)
            return [(row.number, f"{row.first_day} {row.standing}") for row in tx.execute(joined)]

    with sqlite_databases.migrated() as one, sqlite_databases.migrated() as other:
        assert sorted(shown(one)) == sorted(shown(other))


def test_it_loads_a_moment_after_midnight_on_a_day_on_which_terms_have_ended(sqlite_url):
    at = datetime(2028, 4, 1, 4, 3, tzinfo=UTC)  # in Toronto; in Vancouver it is still March
    with database(sqlite_url) as engine, engine.begin() as tx:
        load_demonstration(tx, at)
        assert tx.execute(select(func.count()).select_from(tables.registrations)).scalar_one() > 350
