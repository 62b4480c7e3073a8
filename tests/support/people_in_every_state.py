"""A small register with someone in every standing, for the pages: who they are is in their names.

Everything is recorded at ``AT`` and asked about on ``TODAY``, unless a test says otherwise.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import Connection

from registry.domain.decisions import Condition, StatusReport
from registry.domain.rules import TrainingRequirement
from registry.domain.vocabulary import DecisionKind, Mode, PracticePermission, Technique
from registry.store.records import Body, RegistrationRecord
from tests.support.factories import (
    decide,
    make_authorization,
    make_body,
    make_course,
    make_person,
    make_registration,
    make_rules,
    make_training,
)

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
TODAY = date(2026, 11, 20)
BODY, OTHER = "ca-ab-test", "nz-test"
UNREAD = StatusReport("Class Z", PracticePermission.UNKNOWN)


def fill(tx: Connection) -> None:
    """Two bodies, and one registration for each way of standing; the numbers say which."""
    every = {technique: TrainingRequirement() for technique in Technique}
    rules = make_rules(
        eligible_classes=frozenset({"general", "courtesy"}),
        learner_classes=frozenset({"courtesy"}),
        requirements=every,
        authorization_grace_days=0,
    )
    body = make_body(
        tx, BODY, rules=rules, name="Test College of Physiotherapists", website="https://college.example/register",
        publishes_training=True, publishes_former_names=True,
    )  # fmt: skip
    other = make_body(
        tx, OTHER, rules=make_rules(requirements=every, registration_grace_days=30), name="Board of Tests",
        jurisdiction="NZ", zone="Pacific/Auckland",
    )  # fmt: skip
    _authorized(tx, body, other)
    _limited(tx, body)
    _ended(tx, body)
    _not_registered(tx, body, other)


def _register(tx: Connection, body: Body, number: str, name: str, **asked: object) -> RegistrationRecord:
    person = make_person(tx, name, languages=("en", "fr"))
    facts = {"number": number, "city": "Calgary", "through": date(2027, 9, 30), **asked}
    return make_registration(tx, body, person, **facts)  # type: ignore[arg-type]  # as the factory takes them


def _authorized(tx: Connection, body: Body, other: Body) -> None:
    person = make_person(tx, "Zoë O’Brien-Łukasz", former=("Zoë Łukasz",), languages=("en", "pl"))
    both = frozenset({Technique.DRY_NEEDLING, Technique.INTRAMUSCULAR_STIMULATION})
    make_course(tx, body)
    make_training(tx, person, body, hours_theory=24, hours_practical=30.5)
    guided = frozenset({Technique.ULTRASOUND_GUIDED_NEEDLING})
    make_training(tx, person, body, title="Ultrasound guidance", techniques=guided, hours_theory=1)
    record = make_registration(tx, body, person, number="YES-1", city="Calgary", through=date(2027, 9, 30))
    make_authorization(tx, record, techniques=both, through=date(2027, 9, 30))
    make_registration(tx, other, person, number="YES-1", city="Auckland", through=date(2025, 12, 31))
    make_authorization(tx, _register(tx, body, "OPEN-1", "Open Ended", through=None), through=None)


def _limited(tx: Connection, body: Body) -> None:
    conditions = (Condition("Only in the clinic at 4 Main Street."), Condition("", withheld=True))
    record = _register(tx, body, "COND-1", "Connie Ditions")
    make_authorization(tx, record, conditions=conditions, excluded_regions=("thorax", "neck"), through=None)
    record = _register(tx, body, "SUP-1", "Supriya Vised")
    make_authorization(tx, record, mode=Mode.SUPERVISED, through=None)
    _register(tx, body, "LEARN-1", "Lea Ning", register_class="courtesy")
    record = _register(tx, body, "MIX-1", "Mixed Answers")
    record, _ = make_authorization(tx, record, through=date(2027, 3, 31))
    acupuncture = frozenset({Technique.ACUPUNCTURE})
    make_authorization(tx, record, techniques=acupuncture, mode=Mode.SUPERVISED, through=date(2027, 6, 30))
    withheld = make_person(tx, "Secret Person", withheld=True)
    record = make_registration(tx, body, withheld, number="HID-1", city="Calgary", through=date(2027, 9, 30))
    make_authorization(tx, record, through=date(2027, 9, 30))


def _ended(tx: Connection, body: Body) -> None:
    record = _register(tx, body, "LAPSED-1", "Lapsed Authorization")
    make_authorization(tx, record, through=date(2026, 9, 30))
    record = _register(tx, body, "SUSP-1", "Suspended Authorization")
    record, id_ = make_authorization(tx, record, through=None)
    decide(tx, record, DecisionKind.SUSPENDED, date(2026, 10, 5), authorization_id=id_, at=NOW)
    record = _register(tx, body, "LOST-1", "Lost Authorization", register_class="courtesy")
    record, id_ = make_authorization(tx, record, through=None)
    decide(tx, record, DecisionKind.SUSPENDED, date(2026, 10, 5), authorization_id=id_, at=NOW)
    record = _register(tx, body, "REVOKED-1", "Revoked Authorization")
    record, id_ = make_authorization(tx, record, through=None)
    decide(tx, record, DecisionKind.REVOKED, date(2026, 10, 5), authorization_id=id_, at=NOW)
    record = _register(tx, body, "GIVEN-1", "Given Up")
    record, id_ = make_authorization(tx, record, through=None)
    decide(tx, record, DecisionKind.SURRENDERED, date(2026, 10, 5), authorization_id=id_, at=NOW)
    record = _register(tx, body, "SOON-1", "Soon Authorized")
    make_authorization(tx, record, effective_on=date(2026, 12, 1), through=None)
    record = _register(tx, body, "UNREAD-1", "Unread Authorization")
    record, id_ = make_authorization(tx, record, through=None)
    decide(
        tx,
        record,
        DecisionKind.STATUS_REPORTED,
        date(2026, 10, 5),
        authorization_id=id_,
        report=UNREAD,
        at=NOW,
    )


def _not_registered(tx: Connection, body: Body, other: Body) -> None:
    record = _register(tx, body, "RLAPSED-1", "Lapsed Registration", through=date(2026, 9, 30))
    make_authorization(tx, record, through=date(2026, 9, 30))
    record = _register(tx, body, "RSUSP-1", "Suspended Registration")
    record, _ = make_authorization(tx, record, through=None)
    decide(tx, record, DecisionKind.SUSPENDED, date(2026, 10, 5), at=NOW)
    record = _register(tx, body, "RREVOKED-1", "Revoked Registration")
    decide(tx, record, DecisionKind.REVOKED, date(2026, 10, 5), at=NOW)
    record = _register(tx, body, "RUNREAD-1", "Unread Registration")
    decide(tx, record, DecisionKind.STATUS_REPORTED, date(2026, 10, 5), report=UNREAD, at=NOW)
    _register(tx, body, "RSOON-1", "Soon Registered", effective_on=date(2027, 1, 1))
    _register(tx, body, "CLASS-1", "Wrong Class", register_class="provisional")
    _register(tx, body, "NONE-1", "Never Authorized")
    record = _register(tx, other, "GRACE-1", "Days of Grace", through=date(2026, 11, 10))
    make_authorization(tx, record, through=None)


NUMBERS = (
    *("YES-1", "OPEN-1", "COND-1", "SUP-1", "LEARN-1", "MIX-1", "HID-1"),
    *("LAPSED-1", "SUSP-1", "REVOKED-1", "GIVEN-1", "LOST-1", "SOON-1", "UNREAD-1"),
    *("RLAPSED-1", "RSUSP-1", "RREVOKED-1", "RUNREAD-1", "RSOON-1", "CLASS-1", "NONE-1"),
)
"""Of the body ``BODY``."""
