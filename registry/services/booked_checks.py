"""Which clinics rely on somebody: by their rosters, and by what they asked about days to come.

A check for a coming day is noted after it was answered, as well as can be: where noting fails, the clinic
has its answer all the same. It is forgotten once the day has passed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.names import number_key
from registry.domain.verdict import Question, Standings, Verdict, give_verdict
from registry.domain.vocabulary import Technique
from registry.store import booked_checks as store
from registry.store.booked_check_tables import EVERY_TECHNIQUE
from registry.store.booked_checks import BookedCheck

from .batches import Asked
from .decisions import Change
from .look_up import list_bodies

DAYS_AHEAD = 366
"""What is asked about days further off is no appointment yet."""


@dataclass(frozen=True, slots=True)
class ClinicTouched:
    """A clinic that relies on a registration.

    :param has_roster: whether one of its rosters names it.
    :param checks: how many of its checks for coming days are about it.
    :param changed: how many of those would be answered otherwise after a change.
    :param no_longer: of those, how many would be a yes no longer.
    """

    label: str
    has_roster: bool
    checks: int = 0
    changed: int = 0
    no_longer: int = 0


def note_checks(connection: Connection, owner_id: str, asked: Iterable[Asked], *, at: datetime) -> None:
    """Note those of a clinic's questions that are about days to come, within a year.

    :param connection: in autocommit, to where the register is written.
    :param at: the present instant (UTC).
    """
    coming = [one for one in asked if one.on is not None]
    if not coming:
        return
    bodies = {body.code: (body.id, local_date(at, body.zone)) for body in list_bodies(connection)}
    noted = {each for one in coming if (each := _noted(one, *bodies.get(one.body, ("", date.max))))}
    if noted:
        store.note_checks(connection, owner_id, sorted(noted))


def _noted(asked: Asked, body_id: str, today: date) -> store.Noted | None:
    day = asked.on
    if day is None or not today < day <= _last_day(today):
        return None
    technique = EVERY_TECHNIQUE if asked.technique is None else asked.technique.value
    return body_id, number_key(asked.number), day.isoformat(), technique, asked.mode.value


def _last_day(today: date) -> date:
    return today + min(timedelta(days=DAYS_AHEAD), date.max - today)


def clinics_relying_on(connection: Connection, registration_id: str, today: date) -> list[ClinicTouched]:
    """Whose rosters name a registration, and who asked about its coming days; those with most checks first.

    :param today: the body's.
    """
    checks = store.checks_about(connection, registration_id, today)
    return _clinics(connection, registration_id, checks, (), ())


def clinics_touched(connection: Connection, change: Change, *, at: datetime) -> list[ClinicTouched]:
    """The same, with how a change of the record would touch what they asked.

    :param at: the present instant (UTC).
    """
    record = change.before
    checks = store.checks_about(connection, record.id, local_date(at, record.body.zone))
    before, after = change.before.standings(), change.after.standings()
    told = [(check, *_turns(check, before, after)) for check in checks]
    changed = [check for check, changes, _ in told if changes]
    lost = [check for check, _, loses in told if loses]
    return _clinics(connection, record.id, checks, changed, lost)


def _clinics(
    connection: Connection,
    registration_id: str,
    checks: Sequence[BookedCheck],
    changed: Iterable[BookedCheck],
    lost: Iterable[BookedCheck],
) -> list[ClinicTouched]:
    rostered = set(store.rosters_naming(connection, registration_id))
    counts = [Counter(check.owner_id for check in each) for each in (checks, changed, lost)]
    ids = sorted(rostered.union(counts[0]))
    labels = store.clinic_labels(connection, ids)
    found = [
        ClinicTouched(labels[id_], id_ in rostered, *(count[id_] for count in counts))
        for id_ in ids
        if id_ in labels
    ]
    return sorted(found, key=lambda one: (-one.no_longer, -one.changed, -one.checks, one.label))


def _turns(check: BookedCheck, before: Standings, after: Standings) -> tuple[bool, bool]:
    """Whether a check would be answered otherwise, and whether a yes would be one no longer."""
    pairs = list(_verdicts(check, before, after))
    changes = any(not is_.says_the_same_as(was) for was, is_ in pairs)
    return changes, any(was.authorized and not is_.authorized for was, is_ in pairs)


def _verdicts(check: BookedCheck, before: Standings, after: Standings) -> Iterator[tuple[Verdict, Verdict]]:
    techniques = Technique if check.technique is None else (check.technique,)
    for technique in techniques:
        question = Question(technique, check.day, check.mode)
        yield give_verdict(question, before), give_verdict(question, after)


def drop_passed(tx: Connection, body_id: str, today: date) -> int:
    """Forget the checks for days of a body that have passed; how many they were."""
    return store.drop_checks_before(tx, body_id, today)
