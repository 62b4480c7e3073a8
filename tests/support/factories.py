"""What a test sets up, made by the register's own services; each says only what matters to the test.

Nothing here is random: numbers and names follow from how many there are already. Each factory is given the
transaction first; ``database(url)`` gives one outside an application.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, func, select

from registry.domain.rules import BodyRules, Renewal, TrainingRequirement
from registry.domain.vocabulary import DecisionKind, NameKind, Technique
from registry.services import bodies, courses, decisions, keys, people, registrations, trainings, wishes
from registry.services.principals import Role
from registry.settings import Settings
from registry.store import tables
from registry.store.courses import Course
from registry.store.engines import engine_options, prepare_sqlite
from registry.store.people import NewName
from registry.store.records import Body, Person, RegistrationRecord
from registry.store.trainings import KeptTraining, TrainingFacts

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When the factories record, unless told otherwise."""

BY = "operator:tests"
FIRST_DAY = date(2025, 1, 1)
"""First day of rules and terms, unless told otherwise."""
LAST_DAY = date(2026, 12, 31)
"""Last day of terms, unless told otherwise."""

DRY_NEEDLING = frozenset({Technique.DRY_NEEDLING})
GIVEN = ("Ana", "Bram", "Chloé", "Dae", "Eszter", "Farid", "Grace", "Hēmi", "Iolo", "Józef")
FAMILY = (
    "Abara",
    "Brontë",
    "Castillo",
    "Đorđević",
    "Eriksen",
    "Fontaine",
    "Gunn",
    "Hollins",
    "Ito",
    "Jansen",
)


@contextmanager
def database(url: str) -> Iterator[Engine]:
    """An engine set up as the application's own, for writes."""
    settings = Settings(database_url=url)
    engine = create_engine(url, **engine_options(url, settings))
    if engine.dialect.name == "sqlite":
        prepare_sqlite(engine, settings.busy_seconds, writes=True)
    try:
        yield engine
    finally:
        engine.dispose()


def _count(tx: Connection, table: Table) -> int:
    return tx.execute(select(func.count()).select_from(table)).scalar_one()


def make_rules(**changed: Any) -> BodyRules:
    """Rules that authorize dry needling to ``general`` and ``provisional``, asking for no training."""
    facts: dict[str, Any] = {
        "holds_from": FIRST_DAY,
        "recorded_at": AT,
        "eligible_classes": frozenset({"general", "provisional"}),
        "requirements": {Technique.DRY_NEEDLING: TrainingRequirement()},
    }
    return BodyRules(**{**facts, **changed})


def yearly(month: int, day: int) -> Renewal:
    """Terms that end on a fixed day of each year."""
    return Renewal(month=month, day=day)


def make_body(
    tx: Connection, code: str = "ca-xx", *, rules: BodyRules | None = None, at: datetime = AT, **facts: Any
) -> Body:
    """A body with one version of rules (``make_rules()`` if not given)."""
    described = {"name": f"College {code.upper()}", "jurisdiction": "CA-AB", "zone": "America/Edmonton"}
    body = bodies.create_body(tx, bodies.BodyFacts(code=code, **{**described, **facts}), at=at)
    bodies.add_rules(tx, body, rules or make_rules(), by=BY, at=at)
    return bodies.get_body(tx, code)


def make_person(
    tx: Connection,
    name: str | None = None,
    *,
    legal: str | None = None,
    former: Sequence[str] = (),
    withheld: bool = False,
    languages: Sequence[str] = (),
    by: str = BY,
    at: datetime = AT,
) -> Person:
    """A practitioner; one of a hundred names in turn, if not told which."""
    names = [_published(_count(tx, tables.practitioners)) if name is None else _named(name)]
    if legal is not None:
        names.append(NewName(NameKind.LEGAL, legal))
    names.extend(NewName(NameKind.FORMER, each) for each in former)
    return people.add_person(tx, names, languages=languages, withheld=withheld, by=by, at=at)


def _published(position: int) -> NewName:
    given, family = GIVEN[position % 10], FAMILY[position // 10 % 10]
    return NewName(NameKind.PUBLISHED, f"{given} {family}", given, family)


def _named(full_name: str) -> NewName:
    given, _, family = full_name.rpartition(" ")
    return NewName(NameKind.PUBLISHED, full_name, given or None, family)


def make_registration(
    tx: Connection,
    body: Body,
    person: Person | None = None,
    *,
    number: str | None = None,
    city: str | None = None,
    effective_on: date = FIRST_DAY,
    through: date | None = LAST_DAY,
    register_class: str | None = "general",
    by: str = BY,
    at: datetime = AT,
    **scope: Any,
) -> RegistrationRecord:
    """A registration granted for a term, of a new person where none is given. ``scope``: ``conditions``."""
    person = person or make_person(tx, at=at)
    number = number or f"PT-{_count(tx, tables.registrations) + 1:05}"
    said = {"register_class": register_class, **scope}
    wish = wishes.Wish(DecisionKind.GRANTED, effective_on, through, scope=said)
    applied = registrations.Applied(person.id, number, city)
    return registrations.register(tx, body, applied, wish, by=by, at=at).after


def make_authorization(
    tx: Connection,
    record: RegistrationRecord,
    *,
    techniques: frozenset[Technique] = DRY_NEEDLING,
    effective_on: date = FIRST_DAY,
    through: date | None = LAST_DAY,
    override_reason: str | None = None,
    by: str = BY,
    at: datetime = AT,
    **scope: Any,
) -> tuple[RegistrationRecord, str]:
    """An authorization granted for a term: the record after it, and its identifier.

    ``scope``: ``mode``, ``conditions``, ``excluded_regions``.
    """
    said = {"techniques": techniques, **scope}
    wish = wishes.Wish(
        DecisionKind.GRANTED, effective_on, through, scope=said, override_reason=override_reason
    )
    change, id_ = wishes.grant_authorization(tx, record, wish, by=by, at=at)
    return change.after, id_


def decide(
    tx: Connection,
    record: RegistrationRecord,
    kind: DecisionKind,
    effective_on: date,
    *,
    authorization_id: str | None = None,
    by: str = BY,
    at: datetime = AT,
    **asked: Any,
) -> RegistrationRecord:
    """Record one decision about the registration or an authorization: the record after it.

    ``asked``: other fields of :class:`registry.services.wishes.Wish`.
    """
    drafts = wishes.drafts_of(record, authorization_id, wishes.Wish(kind, effective_on, **asked))
    return decisions.record_decisions(tx, record, drafts, by=by, at=at).after


def void(
    tx: Connection, record: RegistrationRecord, decision_id: str, *, by: str = BY, at: datetime = AT
) -> RegistrationRecord:
    """Take a decision back: the record after it."""
    drafts = [wishes.void_draft(record, decision_id, reason="recorded by mistake")]
    return decisions.record_decisions(tx, record, drafts, by=by, at=at).after


def make_course(
    tx: Connection,
    body: Body,
    title: str = "Foundations of dry needling",
    *,
    provider: str = "Needling Institute",
    techniques: frozenset[Technique] = DRY_NEEDLING,
    approvals: Sequence[tuple[date, date | None]] = ((FIRST_DAY, None),),
    at: datetime = AT,
) -> Course:
    """A course, approved from the first day of the rules on."""
    return courses.add_course(
        tx, body, title=title, provider=provider, techniques=techniques, approvals=approvals, by=BY, at=at
    )


def make_training(
    tx: Connection,
    person: Person,
    body: Body,
    *,
    completed_on: date = date(2025, 6, 1),
    techniques: frozenset[Technique] = DRY_NEEDLING,
    at: datetime = AT,
    **facts: Any,
) -> KeptTraining:
    """A completed training. ``facts``: other fields of :class:`registry.store.trainings.TrainingFacts`."""
    described: dict[str, Any] = {"title": "Foundations of dry needling", "provider": "Needling Institute"}
    described |= {"techniques": techniques, "completed_on": completed_on, **facts}
    return trainings.add_training(tx, person, body, TrainingFacts(**described), by=BY, at=at)


def make_key(
    tx: Connection, role: Role = Role.OPERATOR, body: Body | None = None, *, at: datetime = AT
) -> str:
    """The secret of a new API key, as it is sent in a request. Registrars and auditors need a body."""
    code = None if body is None else body.code
    key = keys.create_key(tx, role=role, body=code, label=f"{role} of tests", expires_at=None, by=BY, at=at)
    assert key.secret is not None
    return key.secret
