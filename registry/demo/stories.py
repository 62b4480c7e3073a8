"""What happened to a registration, told in the days before (and after) the demonstration's today.

A story is the list of what was recorded about one registration, in order. Most registrations simply go on,
renewed year after year; the others are here so that every standing and every reason can be seen.
"""

from __future__ import annotations

from datetime import date

from registry.domain.decisions import Condition, StatusReport
from registry.domain.vocabulary import DecisionKind as Kind
from registry.domain.vocabulary import Mode, PracticePermission, Standing

from .bodies import DRY, ULTRASOUND
from .telling import NEEDLING, Given, Said, authorized, registered, terms

UNREAD = StatusReport("Renewal under audit", PracticePermission.UNKNOWN)
INACTIVE = StatusReport("Inactive - administrative", PracticePermission.NO, leaves=Standing.LAPSED)


def in_force(given: Given) -> list[Said]:
    """Registered and authorized."""
    return registered(given) + authorized(given)


def without_needling(given: Given) -> list[Said]:
    """Registered, and never authorized."""
    return registered(given)


def barred_class(given: Given) -> list[Said]:
    """Registered in a class whose holders may not needle, where the body has one."""
    return registered(given, register_class=given.house.barred)


def with_condition(given: Given) -> list[Said]:
    """A condition was set on the authorization."""
    return [*in_force(given), _limited(given, Condition("Needles only with a colleague in the clinic."))]


def with_withheld_condition(given: Given) -> list[Said]:
    """Two conditions were set, one of which is not told to the public."""
    conditions = (
        Condition("Works no more than 20 hours a week.", withheld=True),
        Condition("Reports each adverse event within a week."),
    )
    return [*in_force(given), _limited(given, *conditions)]


def _limited(given: Given, *conditions: Condition) -> Said:
    day = given.day(-120)
    return Said(day, Kind.CONDITIONS_SET, day, about=NEEDLING, scope={"conditions": conditions})


def with_registration_condition(given: Given) -> list[Said]:
    """A condition rests on the registration itself."""
    return registered(given, conditions=(Condition("Practises in a group practice."),)) + authorized(given)


def without_thorax(given: Given) -> list[Said]:
    """Authorized, but for the chest."""
    return registered(given) + authorized(given, excluded_regions=("thorax",))


def supervised(given: Given) -> list[Said]:
    """Authorized under supervision only."""
    return registered(given) + authorized(given, mode=Mode.SUPERVISED)


def overridden(given: Given) -> list[Said]:
    """Authorized without the training that the rules ask for, for a recorded reason."""
    reason = "Trained at a university that keeps no hours; portfolio accepted by the committee."
    return registered(given) + authorized(given, override_reason=reason)


def lapsed(given: Given) -> list[Said]:
    """The registration lapsed up to three months ago; the authorization runs on."""
    return registered(given, ends=given.day(-1 - given.position * 11 % 90)) + authorized(given)


def lapsed_35_days(given: Given) -> list[Said]:
    """Not renewed: 35 days without a registration, today included."""
    return registered(given, ends=given.day(-35)) + authorized(given)


def lapsed_yesterday(given: Given) -> list[Said]:
    """Yesterday was the last day."""
    return registered(given, ends=given.day(-1)) + authorized(given)


def last_day(given: Given) -> list[Said]:
    """Today is the last day."""
    return registered(given, ends=given.today) + authorized(given)


def expires_in_a_week(given: Given) -> list[Said]:
    """A week is left."""
    return registered(given, ends=given.day(7)) + authorized(given)


def expires_soon(given: Given) -> list[Said]:
    """Not renewed yet, some weeks before the last day."""
    return registered(given, ends=given.day(9 + given.position * 13 % 55)) + authorized(given)


def both_lapsed(given: Given) -> list[Said]:
    """Registration and authorization lapsed together."""
    last = given.day(-2 - given.position * 17 % 200)
    return registered(given, ends=last) + authorized(given, ends=last)


def needling_lapsed(given: Given) -> list[Said]:
    """The authorization lapsed; the registration is in force."""
    return registered(given) + authorized(given, ends=given.day(-3 - given.position * 7 % 60))


def in_grace(given: Given) -> list[Said]:
    """The last day was ten days ago; where the body gives grace, the registration persists."""
    return registered(given, ends=given.day(-10)) + authorized(given, ends=given.day(200))


def needling_in_grace(given: Given) -> list[Said]:
    """The same of the authorization."""
    return registered(given) + authorized(given, ends=given.day(-10))


def suspended(given: Given) -> list[Said]:
    """The registration is suspended for two months more."""
    return [*in_force(given), _suspended(given, -20, 60)]


def suspended_until_further_notice(given: Given) -> list[Said]:
    """The registration is suspended without a last day."""
    return [*in_force(given), _suspended(given, -75)]


def needling_suspended(given: Given) -> list[Said]:
    """The authorization is suspended; the registration is in force."""
    return [*in_force(given), _suspended(given, -12, about=NEEDLING)]


def suspension_over(given: Given) -> list[Said]:
    """A suspension ended by its last day."""
    return [*in_force(given), _suspended(given, -150, -60)]


def reinstated(given: Given) -> list[Said]:
    """A suspension was lifted."""
    return [
        *in_force(given),
        _suspended(given, -190),
        Said(given.day(-100), Kind.REINSTATED, given.day(-100), reason="The inquiry was closed."),
    ]


def reinstated_after_expiry(given: Given) -> list[Said]:
    """Suspended, expired meanwhile, reinstated: which revives no expired term."""
    return [
        *registered(given, ends=given.day(-30)),
        *authorized(given),
        _suspended(given, -90),
        Said(given.day(-10), Kind.REINSTATED, given.day(-10), reason="The inquiry was closed."),
    ]


def lapsed_under_suspension(given: Given) -> list[Said]:
    """Expired while suspended: both are told."""
    return registered(given, ends=given.day(-15)) + authorized(given) + [_suspended(given, -40, 40)]


def suspension_ahead(given: Given) -> list[Said]:
    """A suspension is recorded that begins in five days."""
    return [*in_force(given), _suspended(given, 5, 35, recorded=-2)]


def backdated_suspension(given: Given) -> list[Said]:
    """A suspension recorded ten days ago for days before: what was known then was another answer."""
    return [*in_force(given), _suspended(given, -45, -20, recorded=-10)]


def suspended_by_mistake(given: Given) -> list[Said]:
    """A suspension that was meant for someone else, voided three days later."""
    reason = "Meant for another person of the same name."
    return [
        *in_force(given),
        _suspended(given, -50, named="mistake"),
        Said(given.day(-47), Kind.VOIDED, given.day(-50), voids="mistake", reason=reason),
    ]


def _suspended(
    given: Given,
    first: int,
    last: int | None = None,
    *,
    recorded: int | None = None,
    about: str | None = None,
    named: str | None = None,
) -> Said:
    return Said(
        given.day(first if recorded is None else recorded),
        Kind.SUSPENDED,
        given.day(first),
        None if last is None else given.day(last),
        about,
        reason="Interim order during an inquiry.",
        private_note="Complaint received from a patient; see the case file.",
        named=named,
    )


def revoked(given: Given) -> list[Said]:
    """The registration was revoked."""
    day = given.day(-60 - given.position % 30)
    return registered(given, covering=day) + authorized(given) + [_ended(Kind.REVOKED, day)]


def surrendered(given: Given) -> list[Said]:
    """The registration was given up."""
    day = given.day(-45 - given.position % 30)
    return registered(given, covering=day) + authorized(given) + [_ended(Kind.SURRENDERED, day)]


def needling_revoked(given: Given) -> list[Said]:
    """The authorization was revoked."""
    return _needling_ended(given, Kind.REVOKED, given.day(-35))


def needling_surrendered(given: Given) -> list[Said]:
    """The authorization was given up."""
    return _needling_ended(given, Kind.SURRENDERED, given.day(-25))


def _needling_ended(given: Given, kind: Kind, day: date) -> list[Said]:
    return [*registered(given), *authorized(given, covering=day), _ended(kind, day, NEEDLING)]


def _ended(kind: Kind, day: date, about: str | None = None) -> Said:
    reason = "Decision of the hearing tribunal." if kind is Kind.REVOKED else "At the holder's wish."
    return Said(day, kind, day, about=about, reason=reason)


def granted_again(given: Given) -> list[Said]:
    """Revoked, and more than half a year later granted anew."""
    day, again = given.day(-400), given.day(-180)
    grant = Said(again, Kind.GRANTED, again, scope={"register_class": given.house.usual})
    return [
        *registered(given, covering=day),
        _ended(Kind.REVOKED, day),
        *terms(given, grant, given.house.renewal, given.today, None),
        *authorized(given, since=given.day(-150)),
    ]


def with_gap(given: Given) -> list[Said]:
    """Renewed forty days late, a year ago: in force today, with a gap behind."""
    late = given.day(-360)
    renewed = Said(late, Kind.RENEWED, late)
    return [
        *registered(given, ends=given.day(-401)),
        *terms(given, renewed, given.house.renewal, given.today, None),
        *authorized(given, since=given.day(-340)),
    ]


def registered_ahead(given: Given) -> list[Said]:
    """The first term begins in ten days."""
    first = given.day(10)
    scope = {"register_class": given.house.usual}
    last = given.house.renewal.last_day(first)
    return [Said(given.day(-5), Kind.GRANTED, first, last, scope=scope)]


def needling_ahead(given: Given) -> list[Said]:
    """The authorization begins in two weeks."""
    first = given.day(14)
    last = given.house.needling_renewal.last_day(first)
    scope = {"techniques": given.house.named}
    grant = Said(given.day(-3), Kind.GRANTED, first, last, NEEDLING, scope)
    return [*registered(given, ends=given.day(300)), grant]


def unread_status(given: Given) -> list[Said]:
    """The last word about the registration is one that nobody has mapped."""
    return [*in_force(given), _reported(given, UNREAD)]


def unread_needling_status(given: Given) -> list[Said]:
    """The last word about the authorization is one that nobody has mapped."""
    return [*in_force(given), _reported(given, UNREAD, NEEDLING)]


def reported_inactive(given: Given) -> list[Said]:
    """The last word about the registration is that it is not active, though its term runs."""
    return [*in_force(given), _reported(given, INACTIVE)]


def _reported(given: Given, report: StatusReport, about: str | None = None) -> Said:
    """Reported today: a renewal that begins later would put an end to it."""
    return Said(given.today, Kind.STATUS_REPORTED, given.today, about=about, report=report)


def with_ultrasound(given: Given) -> list[Said]:
    """A second authorization, for needling guided by ultrasound."""
    day, scope = given.day(-200), {"techniques": frozenset({ULTRASOUND})}
    last = given.house.needling_renewal.last_day(day)
    return [*in_force(given), Said(day, Kind.GRANTED, day, last, ULTRASOUND.value, scope)]


def ultrasound_only(given: Given) -> list[Said]:
    """Authorized for nothing but needling guided by ultrasound, in a class that does not learn."""
    day, scope = given.needling_since, {"techniques": frozenset({ULTRASOUND})}
    last = given.house.needling_renewal.last_day(day)
    grant = Said(day, Kind.GRANTED, day, last, ULTRASOUND.value, scope)
    return [*registered(given, register_class="Courtesy"), grant]


def needling_only_dry(given: Given) -> list[Said]:
    """Authorized for dry needling alone, whatever else the body's authorizations name."""
    return registered(given) + authorized(given, techniques=frozenset({DRY}))
