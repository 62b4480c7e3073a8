"""What staff send and see of registrations and authorizations."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from registry.domain.vocabulary import Technique
from registry.http.cursors import PageQuery
from registry.http.fields import (
    BodyCode,
    Date,
    Flag,
    Id,
    Instant,
    Integer,
    List,
    Nested,
    QuerySchema,
    RegistrationNumber,
    RequestSchema,
    ResponseSchema,
    SetOf,
    Text,
    Word,
)

from .decision_schemas import DecisionSchema, SpanRecordSchema, UnmetSchema
from .people_schemas import LONGEST_NAME, AmendmentSchema, reason_field

LONGEST_CITY = 100


class CorrectionSchema(RequestSchema):
    """What a registration's number and city should have been; what is absent stays as it is."""

    number = RegistrationNumber()
    city = Text(LONGEST_CITY, allow_none=True)
    reason = reason_field()

    @ma.validates_schema
    def says_what(self, data: dict[str, Any], **_: Any) -> None:
        """Something is corrected."""
        if not data.keys() & {"number", "city"}:
            raise ma.ValidationError("Give the number, the city or both.")


class HolderSchema(ResponseSchema):
    """Whose a registration is."""

    id = Id()
    name = Text(LONGEST_NAME, allow_none=True, metadata={"description": "The published name, hidden or not."})
    withheld = Flag()


class ListedRegistrationSchema(ResponseSchema):
    """A registration in a list."""

    id = Id()
    body = BodyCode()
    practitioner = Nested(HolderSchema)
    number = RegistrationNumber()
    city = Text(LONGEST_CITY, allow_none=True)
    version = Integer()
    created_at = Instant()
    today = Nested(SpanRecordSchema, metadata={"description": "How it stands on the body's present day."})


class AuthorizationStandingSchema(ResponseSchema):
    """An authorization: how it stands on the day asked for, and on every other."""

    id = Id()
    standing = Nested(SpanRecordSchema)
    timeline = List(Nested(SpanRecordSchema))


class RegistrationRecordSchema(ListedRegistrationSchema):
    """A registration with its authorizations and all that was decided about them."""

    on = Date(metadata={"description": "The local day that `standing` is for."})
    known_at = Instant(allow_none=True, metadata={"description": "As known then; null for now."})
    standing = Nested(SpanRecordSchema)
    timeline = List(Nested(SpanRecordSchema))
    authorizations = List(Nested(AuthorizationStandingSchema))
    decisions = List(Nested(DecisionSchema))
    amendments = List(Nested(AmendmentSchema))


class AuthorizationRecordSchema(AuthorizationStandingSchema):
    """An authorization with all that was decided about it."""

    registration_id = Id()
    body = BodyCode()
    on = Date()
    decisions = List(Nested(DecisionSchema))


class RecordedSchema(ResponseSchema):
    """What was recorded, and the registration after it."""

    decisions = List(Nested(DecisionSchema))
    registration = Nested(RegistrationRecordSchema)


class RecordQuery(QuerySchema):
    """For which day, and as known when."""

    on = Date(
        load_default=None, metadata={"description": "A local day of the body; its present day if absent."}
    )
    known_at = Instant(
        load_default=None, metadata={"description": "As known at this instant; now if absent."}
    )


class DayQuery(QuerySchema):
    """For which day."""

    on = Date(
        load_default=None, metadata={"description": "A local day of the body; its present day if absent."}
    )


class DecisionsQuery(PageQuery):
    """Which decisions."""

    authorization = Id(load_default=None, metadata={"description": "Only those about this authorization."})


class EligibilityQuery(DayQuery):
    """For what, and when."""

    techniques = SetOf(Word(Technique), least=1, required=True)


class EligibilitySchema(ResponseSchema):
    """Whether an authorization may be granted by the body's rules of a day."""

    on = Date()
    techniques = SetOf(Word(Technique))
    eligible = Flag()
    unmet = List(Nested(UnmetSchema))
