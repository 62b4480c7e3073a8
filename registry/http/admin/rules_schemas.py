"""What staff send and see of a body's rules: the whole of a version, each time."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma

from registry.domain.rules import BodyRules, Renewal, TrainingRequirement
from registry.domain.vocabulary import Technique
from registry.http.fields import (
    Date,
    Flag,
    Hours,
    Id,
    Instant,
    Integer,
    List,
    Nested,
    RequestSchema,
    ResponseSchema,
    SetOf,
    Text,
    Word,
)
from registry.store.bodies import RulesVersion

from .people_schemas import LONGEST_REASON, reason_field

LONGEST_CLASS = 100
LEAP_YEAR = 2024
ONCE = "Give each technique once."


class RenewalSchema(RequestSchema):
    """When terms end: `month` and `day` for a fixed day of each year, or `months` after they began.

    An empty object says that terms are open-ended.
    """

    month = Integer(1, 12, allow_none=True, load_default=None)
    day = Integer(1, 31, allow_none=True, load_default=None)
    months = Integer(1, 1200, allow_none=True, load_default=None)

    @ma.validates_schema
    def says_one_way(self, data: dict[str, Any], **_: Any) -> None:
        """A day of the year, or a number of months, or neither."""
        month, day, months = data["month"], data["day"], data["months"]
        if (month is None) != (day is None):
            raise ma.ValidationError("Give month and day together.", "day")
        if month is not None and months is not None:
            raise ma.ValidationError("Give either month and day, or months.", "months")
        if month is not None and day > calendar.monthrange(LEAP_YEAR, month)[1]:
            raise ma.ValidationError("Give a day that the month has.", "day")

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> Renewal:
        """The rule."""
        return Renewal(**data)


class RequirementsSchema(RequestSchema):
    """What one technique asks for. Hours are clock hours; what is absent is not asked for."""

    technique = Word(Technique, required=True)
    hours_total = Hours(load_default=0, metadata={"description": "Theory and practice together."})
    hours_theory = Hours(load_default=0)
    hours_practical = Hours(load_default=0)
    hours_in_person = Hours(load_default=0)
    supervised_sessions = Integer(0, 10_000, load_default=0)
    practice_years = Integer(0, 60, load_default=0, metadata={"description": "Whole years since registered."})
    examination = Flag(load_default=False)
    safety_component = Flag(load_default=False)
    approved_course = Flag(
        load_default=False, metadata={"description": "Only courses approved on the day of completion count."}
    )
    refresher_hours = Hours(load_default=0, metadata={"description": "Within every refresher_months."})
    refresher_months = Integer(0, 1200, load_default=0)

    @ma.validates_schema
    def refreshes_within_a_time(self, data: dict[str, Any], **_: Any) -> None:
        """Refresher hours belong to a number of months."""
        if bool(data["refresher_hours"]) != bool(data["refresher_months"]):
            raise ma.ValidationError(
                "Give refresher_hours and refresher_months together.", "refresher_months"
            )


class CoverSchema(RequestSchema):
    """What an authorization for one technique covers besides it."""

    technique = Word(Technique, required=True)
    also_covers = SetOf(Word(Technique), least=1, required=True)


class NewRulesSchema(RequestSchema):
    """A whole version of a body's rules: what is absent is not asked, nor taken from the version before."""

    holds_from = Date(required=True, metadata={"description": "The first local day on which it holds."})
    needling_permitted = Flag(load_default=True)
    eligible_classes = SetOf(
        Text(LONGEST_CLASS),
        load_default=None,
        allow_none=True,
        metadata={"description": "Register classes that may needle; null: every class."},
    )
    learner_classes = SetOf(
        Text(LONGEST_CLASS),
        load_default=frozenset,
        metadata={"description": "Classes that may needle under supervision without an authorization."},
    )
    covers = List(Nested(CoverSchema), most=20, load_default=list)
    requirements = List(
        Nested(RequirementsSchema),
        most=20,
        load_default=list,
        metadata={"description": "The techniques that the body authorizes, each with what it asks for."},
    )
    registration_grace_days = Integer(0, 3660, load_default=0)
    authorization_grace_days = Integer(0, 3660, load_default=0)
    registration_renewal = Nested(RenewalSchema, load_default=Renewal)
    authorization_renewal = Nested(RenewalSchema, load_default=Renewal)
    reason = reason_field()

    @ma.validates_schema
    def names_each_technique_once(self, data: dict[str, Any], **_: Any) -> None:
        """No technique has two rules."""
        for field in ("covers", "requirements"):
            named = [item["technique"] for item in data[field]]
            if len(set(named)) != len(named):
                raise ma.ValidationError(ONCE, field)

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The rules, and why they are made."""
        reason = data.pop("reason", None)
        requirements = {item.pop("technique"): TrainingRequirement(**item) for item in data["requirements"]}
        covers = {item["technique"]: item["also_covers"] for item in data["covers"]}
        told = {**data, "requirements": requirements, "covers": covers}
        return {"rules": BodyRules(**told, recorded_at=NOT_YET_RECORDED), "reason": reason}


NOT_YET_RECORDED = datetime.min.replace(tzinfo=UTC)


class ShownRenewalSchema(ResponseSchema):
    """When terms end."""

    month = Integer(1, 12, allow_none=True)
    day = Integer(1, 31, allow_none=True)
    months = Integer(1, 1200, allow_none=True)


class ShownRequirementsSchema(ResponseSchema):
    """What one technique asks for."""

    technique = Word(Technique)
    hours_total = Hours()
    hours_theory = Hours()
    hours_practical = Hours()
    hours_in_person = Hours()
    supervised_sessions = Integer()
    practice_years = Integer()
    examination = Flag()
    safety_component = Flag()
    approved_course = Flag()
    refresher_hours = Hours()
    refresher_months = Integer()


class ShownCoverSchema(ResponseSchema):
    """What an authorization for one technique covers besides it."""

    technique = Word(Technique)
    also_covers = SetOf(Word(Technique))


class RulesSchema(ResponseSchema):
    """A version of a body's rules. Of two versions from the same day, the later recorded holds."""

    id = Id()
    holds_from = Date()
    needling_permitted = Flag()
    eligible_classes = SetOf(Text(LONGEST_CLASS), allow_none=True)
    learner_classes = SetOf(Text(LONGEST_CLASS))
    covers = List(Nested(ShownCoverSchema))
    requirements = List(Nested(ShownRequirementsSchema))
    registration_grace_days = Integer()
    authorization_grace_days = Integer()
    registration_renewal = Nested(ShownRenewalSchema)
    authorization_renewal = Nested(ShownRenewalSchema)
    reason = Text(LONGEST_REASON, lines=True, allow_none=True)
    recorded_at = Instant()
    recorded_by = Text()


PLAIN = (
    *("holds_from", "needling_permitted", "eligible_classes", "learner_classes", "registration_grace_days"),
    *("authorization_grace_days", "registration_renewal", "authorization_renewal", "recorded_at"),
)


def shown_rules(version: RulesVersion) -> dict[str, Any]:
    """A version of a body's rules, as staff see it."""
    rules = version.rules
    covers = [{"technique": t, "also_covers": also} for t, also in sorted(rules.covers.items())]
    requirements = [{"technique": t, **asdict(asked)} for t, asked in sorted(rules.requirements.items())]
    return {
        **{name: getattr(rules, name) for name in PLAIN},
        "covers": covers,
        "requirements": requirements,
        "id": version.id,
        "reason": version.reason,
        "recorded_by": version.recorded_by,
    }


def in_order(versions: Sequence[RulesVersion], after: str | None, limit: int) -> list[RulesVersion]:
    """A stretch of the versions of one body, in the order in which they were recorded."""
    ordered = sorted(versions, key=lambda version: version.id)
    return [version for version in ordered if after is None or version.id > after][:limit]
