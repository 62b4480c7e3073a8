"""A physiotherapist's page: who they are, how everything stands on a day, and their years as a picture."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from registry import clock
from registry.domain.localtime import day_ends, local_date
from registry.domain.verdict import Question, give_verdict, is_yes
from registry.domain.vocabulary import Mode, NameKind, Technique
from registry.errors import Invalid
from registry.http.access import current_principal
from registry.http.admin.asked import body_of_principal, require_say
from registry.http.auditing import sees_withheld
from registry.http.fields import Date, Instant, QuerySchema, Text
from registry.services import staff_search
from registry.services.people import get_person
from registry.services.person_files import RegistrationFile, read_file
from registry.store.records import Person, find_body

from .bodies import working_body
from .drawing import authorization_name, decided, lines_of, picture_of, scope_words
from .pages import Done, Shown, done, page, show
from .timeline_picture import draw
from .words import OUTCOMES, TONES, VALUE_WORDS, as_words

ONE_MOMENT = timedelta(microseconds=1)


class SearchQuery(QuerySchema):
    """Whom to find."""

    q = Text(200, load_default=None)


class PersonQuery(QuerySchema):
    """The day that is asked about, and what was known when."""

    on = Date(load_default=None)
    known_at = Instant(load_default=None)
    known_on = Date(load_default=None)


@page("/search", query=SearchQuery)
def console_search(tx: Connection, query: dict[str, Any]) -> Shown:
    """Find somebody by a number or by any name."""
    body, asked = working_body(tx), query["q"]
    hits, wrong = None, ""
    if asked is not None:
        own = body_of_principal()
        narrowed = None if own is None else body.code
        by, at = current_principal().name, clock.now()
        try:
            hits = staff_search.find_people(tx, asked, body_id=own, body_code=narrowed, by=by, at=at)
        except Invalid as error:
            wrong = error.problems[0]["detail"] if error.problems else error.detail
    for hit in hits.people if hits is not None else ():
        sees_withheld(hit.person.id, withheld=hit.person.withheld)
    return show(
        "search.html",
        body=body,
        asked=asked or "",
        hits=hits,
        wrong=wrong,
        everywhere=body_of_principal() is None,
        tones=TONES,
        names=names_of,
    )


def names_of(person: Person) -> list[str]:
    """The names in use, the published one first."""
    return [name.full_name for name in sorted(person.names, key=lambda name: name.kind != NameKind.PUBLISHED)]


def name_of(person: Person) -> str:
    """What a person is called on the pages of staff."""
    return next(iter(names_of(person)), "Somebody without a name")


@page("/people/<id:practitioner_id>", query=PersonQuery)
def console_person(tx: Connection, practitioner_id: str, query: dict[str, Any]) -> Shown | Done:
    """All that is kept of a person, as of any day and as known at any moment."""
    person, at = get_person(tx, practitioner_id), clock.now()
    require_say(tx, person.merged_into or practitioner_id)
    if person.merged_into is not None:
        told = "The record that you asked for was merged into this one."
        return done(told, "console_person", practitioner_id=person.merged_into)
    sees_withheld(person.id, withheld=person.withheld)
    own = body_of_principal()
    known_at = _moment(tx, own, query, at)
    file = read_file(tx, person, body_id=own, known_at=known_at, at=at)
    zone = file.registrations[0].record.body.zone if file.registrations else "UTC"
    today = local_date(known_at or at, zone)
    on: date = query["on"] or today
    picture = picture_of(file, name_of(person), today, query["on"])
    return show(
        "person.html",
        person=person,
        file=file,
        name=name_of(person),
        on=on,
        asked_on=query["on"],
        today=today,
        zone=zone,
        known_at=known_at,
        known_on=None if known_at is None else local_date(known_at, zone),
        picture=picture,
        drawn=draw(picture),
        lines=lines_of(file),
        parts=[_part(registration, on) for registration in file.registrations],
        tones=TONES,
        as_words=as_words,
        values=VALUE_WORDS,
        decided=decided,
    )


def _moment(tx: Connection, body_id: str | None, query: dict[str, Any], at: datetime) -> datetime | None:
    """The moment that is asked about: an instant, or the end of a day; ``None``: now, or not come."""
    moment: datetime | None = query["known_at"]
    if moment is None and query["known_on"] is not None:
        body = None if body_id is None else find_body(tx, body_id)
        moment = day_ends(query["known_on"], "UTC" if body is None else body.zone) - ONE_MOMENT
    return None if moment is None or moment > at else moment


def _part(file: RegistrationFile, on: date) -> dict[str, Any]:
    """A registration as the page shows it: its own standing, its authorizations', and the public answers."""
    timeline = file.standings.registration
    assert timeline is not None
    verdicts = [give_verdict(Question(technique, on), file.standings) for technique in Technique]
    return {
        "file": file,
        "record": file.record,
        "body": file.record.body,
        "span": timeline.on(on),
        "about": scope_words(timeline.on(on).scope),
        "authorizations": [
            {
                "id": one.id,
                "name": authorization_name(one.timeline),
                "span": one.timeline.on(on),
                "about": scope_words(one.timeline.on(on).scope),
            }
            for one in file.standings.authorizations
        ],
        "answers": [
            {
                "technique": as_words(VALUE_WORDS, verdict.question.technique),
                "outcome": as_words(OUTCOMES, verdict.outcome),
                "alone": is_yes(verdict.outcome, Mode.INDEPENDENT),
                "supervised": is_yes(verdict.outcome, Mode.SUPERVISED),
                "reasons": [as_words({}, reason) for reason in verdict.reasons],
                "through": verdict.valid_through,
            }
            for verdict in verdicts
        ],
        "decisions": sorted(
            file.decisions, key=lambda one: (one.decision.recorded_at, one.decision.id), reverse=True
        ),
    }
