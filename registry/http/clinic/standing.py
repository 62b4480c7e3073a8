"""How everyone on a roster stands: on one day, or on which days of a range they were not authorized."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from flask import Response
from sqlalchemy import Connection

from registry import clock
from registry.domain.verdict import Question, is_yes
from registry.domain.vocabulary import Mode, Outcome, Reason, Technique
from registry.errors import Invalid
from registry.http.access import current_principal
from registry.http.answers import to_json
from registry.http.disclosure import Value, shown_day
from registry.http.fields import (
    BodyCode,
    Date,
    Flag,
    Integer,
    List,
    Nested,
    QuerySchema,
    RegistrationNumber,
    ResponseSchema,
    RosterName,
    Word,
)
from registry.http.operations import Blueprint
from registry.http.requests import read_query
from registry.http.schemas import VerifiedPractitionerSchema
from registry.services import rosters
from registry.services.batches import Answered
from registry.services.gaps import Gap
from registry.services.rosters import DaysWithout, Standing
from registry.store.database import snapshot
from registry.store.ready_answers import said
from registry.store.rosters import Roster

from .tables import table_response, wants_table
from .verdicts import AnswerSchema, answer_texts, stated_name

blueprint = Blueprint("standing", __name__, url_prefix="/v1/rosters", description="Rosters of clinics")


class StandingQuerySchema(QuerySchema):
    """What is asked of each on the roster: a day, or a range of days."""

    technique = Word(Technique, metadata={"description": "One technique; each of them where it is left out."})
    mode = Word(Mode, load_default=Mode.INDEPENDENT)
    on = Date(metadata={"description": "A local day of each body; its today where it is left out."})
    first = Date(
        data_key="from", metadata={"description": "The first day of a range; needs `to` and `technique`."}
    )
    last = Date(data_key="to", metadata={"description": "The last day of the range, at most ten years on."})


class DaysWithoutRunSchema(ResponseSchema):
    """Days, inclusive, that get one answer, which is not a yes."""

    first = Date(data_key="from")
    last = Date(data_key="to")
    days = Integer()
    outcome = Word(Outcome)
    reasons = List(Word(Reason))
    ongoing = Flag(metadata={"description": "Whether the day after the range gets the same answer."})


class DaysWithoutSchema(ResponseSchema):
    """On which days of the range someone was not authorized."""

    body = BodyCode()
    number = RegistrationNumber()
    practitioner = Nested(VerifiedPractitionerSchema, allow_none=True)
    days = Integer()
    runs = List(Nested(DaysWithoutRunSchema), most=10_000)


class RosterStandingSchema(ResponseSchema):
    """How everyone on a roster stands: `answers` for a day, or `days_without` for a range."""

    roster = RosterName()
    technique = Word(Technique, allow_none=True)
    mode = Word(Mode)
    first = Date(data_key="from", allow_none=True)
    last = Date(data_key="to", allow_none=True)
    answers = List(Nested(AnswerSchema), most=rosters.MOST_MEMBERS)
    days_without = List(Nested(DaysWithoutSchema), most=rosters.MOST_MEMBERS)


STANDING_QUERY = StandingQuerySchema()
DAY_COLUMNS = ("body", "number", "name", "on", "mode", "technique", "authorized", "outcome", "reasons")
RANGE_COLUMNS = ("body", "number", "name", "mode", "technique", "from", "to", "days", "outcome", "reasons")


@blueprint.operation(
    "GET", "/<roster:name>/standing", query=StandingQuerySchema, answer=RosterStandingSchema, raw=True
)
def show_standing(name: str) -> Response:
    """Tell of everyone on a roster whether they are authorized on a day, or on which days of a range not.

    With `Accept: text/csv` as a table, a line for each verdict or run of days.
    """
    query: dict[str, Any] = read_query(STANDING_QUERY)
    in_range = _is_range(query)
    with snapshot() as connection:
        roster = rosters.find_roster(connection, current_principal().id, name)
        response = (_of_range if in_range else _of_day)(connection, roster, query)
    response.headers["Vary"] = "Accept"
    return response


def _is_range(query: dict[str, Any]) -> bool:
    """Whether a range is asked about: then all that it takes is there."""
    given = [name for name in ("first", "last") if name in query]
    if not given:
        return False
    needed = {"from": "first", "to": "last", "technique": "technique"}
    wrong = [(name, "A range needs this.") for name, key in needed.items() if key not in query]
    if "on" in query:
        wrong.append(("on", "Give a day or a range."))
    if wrong:
        particulars = [{"parameter": name, "detail": detail} for name, detail in wrong]
        raise Invalid(f"{wrong[0][0]}: {wrong[0][1]}", particulars)
    return True


def _of_day(connection: Connection, roster: Roster, query: dict[str, Any]) -> Response:
    at = clock.now()
    question = Standing(query.get("technique"), query.get("on"), query["mode"])
    answers = rosters.answer_for(connection, roster, question, at=at)
    if wants_table():
        rows = (row for one in answers if isinstance(one, Answered) for row in _answer_rows(one))
        return table_response((*DAY_COLUMNS, "valid_through"), rows, f"{roster.name}-standing")
    head = to_json({**_head(roster, query), "days_without": []}).decode()
    texts = ",".join(answer_texts(answers, at))
    return Response(f'{head[:-1]},"answers":[{texts}]}}', content_type="application/json")


def _answer_rows(answer: Answered) -> Iterator[Sequence[str]]:
    asked = answer.asked
    for technique, text, through in answer.said:
        told = said(text)
        yes = is_yes(told.outcome, asked.mode)
        name = stated_name(answer) or ""
        yield (
            *(asked.body, asked.number, name, answer.on, asked.mode.value, technique.value),
            *("yes" if yes else "no", told.outcome.value, " ".join(told.reasons), through),
        )


def _of_range(connection: Connection, roster: Roster, query: dict[str, Any]) -> Response:
    question = Question(query["technique"], query["first"], query["mode"])
    found = list(rosters.days_without(connection, roster, question, query["last"]))
    if wants_table():
        rows = (_gap_row(one, gap) for one in found for gap in one.gaps)
        return table_response(RANGE_COLUMNS, rows, f"{roster.name}-days-without")
    shown = {**_head(roster, query), "answers": [], "days_without": [_shown(one) for one in found]}
    return Response(to_json(shown), content_type="application/json")


def _head(roster: Roster, query: dict[str, Any]) -> Value:
    return {
        "roster": roster.name,
        "technique": query.get("technique"),
        "mode": query["mode"],
        "from": _day(query.get("first")),
        "to": _day(query.get("last")),
    }


def _day(day: date | None) -> str | None:
    return shown_day(day)


def _shown(one: DaysWithout) -> Value:
    practitioner = {"id": one.practitioner_id, "name": one.name, "withheld": one.withheld}
    return {
        "body": one.member.body,
        "number": one.member.number,
        "practitioner": None if one.practitioner_id is None else practitioner,
        "days": one.days,
        "runs": [_run(gap) for gap in one.gaps],
    }


def _run(gap: Gap) -> Value:
    verdict = gap.verdict
    return {
        "from": gap.first.isoformat(),
        "to": gap.last.isoformat(),
        "days": gap.days,
        "outcome": verdict.outcome,
        "reasons": list(verdict.reasons),
        "ongoing": gap.ongoing,
    }


def _gap_row(one: DaysWithout, gap: Gap) -> Sequence[str]:
    question, verdict = gap.verdict.question, gap.verdict
    return (
        *(one.member.body, one.member.number, one.name or "", question.mode.value, question.technique.value),
        *(gap.first.isoformat(), gap.last.isoformat(), str(gap.days)),
        *(verdict.outcome.value, " ".join(verdict.reasons)),
    )
