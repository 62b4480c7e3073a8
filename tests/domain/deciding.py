"""Decisions, as a registrar would say them. Days are ISO dates; what a test does not say never varies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from registry.domain.decisions import Condition, Decision, Scope, StatusReport
from registry.domain.vocabulary import DecisionKind, Mode, PracticePermission, Standing, Technique

D = date.fromisoformat
ONE_DAY = timedelta(days=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

GENERAL = Scope(register_class="general")
NEEDLING = Scope(techniques=frozenset({Technique.DRY_NEEDLING}))
SUPERVISED_NEEDLING = Scope(techniques=frozenset({Technique.DRY_NEEDLING}), mode=Mode.SUPERVISED)
NOT_ALONE = Condition("Practises in the presence of a colleague.")

ACTIVE = StatusReport("Active", PracticePermission.YES, leaves=Standing.IN_FORCE)
ON_FILE = StatusReport("On file (ZX)", PracticePermission.UNKNOWN)
NOT_RENEWED = StatusReport("Not renewed", PracticePermission.NO, leaves=Standing.LAPSED)


def hours(count: float) -> datetime:
    """The instant so many hours after the first that tests speak of."""
    return LONG_AGO + timedelta(hours=count)


def _decided(
    kind: DecisionKind,
    on: str,
    through: str | None = None,
    *,
    scope: Scope | None = None,
    report: StatusReport | None = None,
    recorded: datetime = LONG_AGO,
) -> Decision:
    return Decision(
        id=f"{kind} {on}",
        kind=kind,
        effective_on=D(on),
        recorded_at=recorded,
        through=None if through is None else D(through),
        scope=scope,
        report=report,
    )


def granted(
    on: str,
    through: str | None = None,
    *,
    scope: Scope | None = GENERAL,
    report: StatusReport | None = None,
    recorded: datetime = LONG_AGO,
) -> Decision:
    return _decided(DecisionKind.GRANTED, on, through, scope=scope, report=report, recorded=recorded)


def renewed(
    on: str,
    through: str | None = None,
    *,
    scope: Scope | None = None,
    report: StatusReport | None = None,
    recorded: datetime = LONG_AGO,
) -> Decision:
    return _decided(DecisionKind.RENEWED, on, through, scope=scope, report=report, recorded=recorded)


def suspended(
    on: str,
    through: str | None = None,
    *,
    report: StatusReport | None = None,
    recorded: datetime = LONG_AGO,
) -> Decision:
    return _decided(DecisionKind.SUSPENDED, on, through, report=report, recorded=recorded)


def reinstated(on: str, *, report: StatusReport | None = None, recorded: datetime = LONG_AGO) -> Decision:
    return _decided(DecisionKind.REINSTATED, on, report=report, recorded=recorded)


def revoked(on: str, *, recorded: datetime = LONG_AGO) -> Decision:
    return _decided(DecisionKind.REVOKED, on, recorded=recorded)


def surrendered(on: str, *, recorded: datetime = LONG_AGO) -> Decision:
    return _decided(DecisionKind.SURRENDERED, on, recorded=recorded)


def conditions_set(on: str, scope: Scope | None, *, recorded: datetime = LONG_AGO) -> Decision:
    return _decided(DecisionKind.CONDITIONS_SET, on, scope=scope, recorded=recorded)


def reported(on: str, report: StatusReport | None, *, recorded: datetime = LONG_AGO) -> Decision:
    return _decided(DecisionKind.STATUS_REPORTED, on, report=report, recorded=recorded)


def voided(decision: Decision, *, recorded: datetime) -> Decision:
    return Decision(
        id=f"voided {decision.id}",
        kind=DecisionKind.VOIDED,
        effective_on=decision.effective_on,
        recorded_at=recorded,
        voids=decision.id,
    )
