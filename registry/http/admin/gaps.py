"""The gap report: on which days a registration was not authorized, for billing reviews and investigations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from registry import clock
from registry.domain.vocabulary import Mode, Outcome, Reason, Technique
from registry.http.access import require_body
from registry.http.fields import (
    BodyCode,
    Date,
    Flag,
    Instant,
    Integer,
    List,
    Nested,
    QuerySchema,
    RegistrationNumber,
    ResponseSchema,
    Word,
)
from registry.http.operations import Blueprint
from registry.services.bodies import get_body
from registry.services.gaps import Gap, GapQuestion, GapReport
from registry.services.gaps import report_gaps as report

blueprint = Blueprint("gaps", __name__, url_prefix="/v1/admin/bodies", description="Gap reports")


class GapsQuery(QuerySchema):
    """What is asked."""

    technique = Word(Technique, required=True)
    mode = Word(Mode, load_default=Mode.INDEPENDENT)
    first = Date(
        load_default=None,
        data_key="from",
        metadata={"description": "The first day; a year before the last where it is left out."},
    )
    last = Date(
        load_default=None,
        data_key="to",
        metadata={
            "description": "The last day, at most ten years on; the body's today where it is left out."
        },
    )
    known_at = Instant(
        load_default=None, metadata={"description": "As the register would have answered at this instant."}
    )


class GapSchema(ResponseSchema):
    """Days, inclusive, that get one answer, which is not a yes."""

    first = Date(data_key="from")
    last = Date(data_key="to")
    days = Integer()
    outcome = Word(Outcome)
    reasons = List(Word(Reason))
    ongoing = Flag(metadata={"description": "Whether the day after the range gets the same answer."})


class GapReportSchema(ResponseSchema):
    """The days without authorization in a range of local days of the body, inclusive."""

    body = BodyCode()
    number = RegistrationNumber()
    technique = Word(Technique)
    mode = Word(Mode)
    first = Date(data_key="from")
    last = Date(data_key="to")
    known_at = Instant(allow_none=True)
    days_in_range = Integer()
    days_without = Integer()
    gaps = List(Nested(GapSchema), most=10_000)


@blueprint.operation(
    "GET", "/<code:code>/registrations/<number:number>/gaps", query=GapsQuery, answer=GapReportSchema
)
def report_gaps(tx: Connection, code: str, number: str, query: dict[str, Any]) -> dict[str, Any]:
    """Report the days on which a registration was not authorized for a technique, and why."""
    body = get_body(tx, code)
    require_body(body.id)
    return _shown(report(tx, body, number, GapQuestion(**query), at=clock.now()))


def _shown(found: GapReport) -> dict[str, Any]:
    return {
        "body": found.body.code,
        "number": found.number,
        "technique": found.technique,
        "mode": found.mode,
        "first": found.first,
        "last": found.last,
        "known_at": found.known_at,
        "days_in_range": found.days_in_range,
        "days_without": found.days_without,
        "gaps": [_gap(gap) for gap in found.gaps],
    }


def _gap(gap: Gap) -> dict[str, Any]:
    verdict = gap.verdict
    return {
        "first": gap.first,
        "last": gap.last,
        "days": gap.days,
        "outcome": verdict.outcome,
        "reasons": verdict.reasons,
        "ongoing": gap.ongoing,
    }
