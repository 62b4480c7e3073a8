"""What staff send and see of decisions. Which members belong to which kind of decision is one table here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow as ma

from registry.domain.decisions import Condition, StatusReport
from registry.domain.vocabulary import (
    DecisionKind,
    Mode,
    Outcome,
    PracticePermission,
    Reason,
    Requirement,
    Standing,
    SubjectKind,
    Technique,
)
from registry.http.fields import (
    Date,
    Flag,
    Id,
    Instant,
    List,
    Nested,
    RegistrationNumber,
    RequestSchema,
    ResponseSchema,
    SetOf,
    Text,
    Word,
)
from registry.http.schemas import ConditionSchema, SourceStatusSchema
from registry.services.registrations import Applied
from registry.services.wishes import Wish

from .people_schemas import reason_field

LONGEST_CONDITION = 1000
LONGEST_NOTE = 4000
RECORDED_KINDS = [kind for kind in DecisionKind if kind is not DecisionKind.VOIDED]
SCOPE = ("register_class", "techniques", "mode", "conditions", "excluded_regions")

Members = Mapping[DecisionKind, frozenset[str]]

OF_REGISTRATION: Members = {
    DecisionKind.GRANTED: frozenset({"through", "register_class", "conditions"}),
    DecisionKind.RENEWED: frozenset({"through"}),
    DecisionKind.SUSPENDED: frozenset({"through"}),
    DecisionKind.REINSTATED: frozenset(),
    DecisionKind.REVOKED: frozenset(),
    DecisionKind.SURRENDERED: frozenset(),
    DecisionKind.CONDITIONS_SET: frozenset({"register_class", "conditions"}),
    DecisionKind.STATUS_REPORTED: frozenset({"status"}),
}
AUTHORIZED = frozenset({"techniques", "mode", "conditions", "excluded_regions", "override_reason"})
OF_AUTHORIZATION: Members = {
    **OF_REGISTRATION,
    DecisionKind.GRANTED: frozenset({"through", *AUTHORIZED}),
    DecisionKind.CONDITIONS_SET: AUTHORIZED,
}


class NewConditionSchema(RequestSchema):
    """A condition on practice, in the body's words."""

    text = Text(LONGEST_CONDITION, lines=True, required=True)
    withheld = Flag(
        load_default=False, metadata={"description": "Tell the public that there is one, not which."}
    )

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> Condition:
        """The condition."""
        return Condition(**data)


class NewStatusSchema(RequestSchema):
    """A status as its source words it, and what it is taken to mean."""

    word = Text(200, required=True)
    practice = Word(PracticePermission, required=True)
    disciplinary = Flag(load_default=False)
    leaves = Word(
        Standing,
        [Standing.IN_FORCE, Standing.LAPSED, Standing.UNKNOWN],
        load_default=Standing.UNKNOWN,
        metadata={"description": "The standing that the word leaves; what is not plain leaves it unknown."},
    )

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> StatusReport:
        """The report."""
        return StatusReport(**data)


def conditions_field() -> List:
    """Conditions, all of them."""
    return List(Nested(NewConditionSchema), most=50)


def through_field() -> Date:
    """The last day of a term or a suspension."""
    about = "The last day, inclusive; null: no end. Absent: by the body's rules, or no end of a suspension."
    return Date(allow_none=True, metadata={"description": about})


def void_also_field() -> SetOf:
    """Decisions to be voided in the same request."""
    about = "Decisions on record that would make no sense after this one, to be voided with it."
    return SetOf(Id(), most=50, load_default=frozenset, metadata={"description": about})


def register_class_field() -> Text:
    """A class of the body's register."""
    return Text(100, allow_none=True, metadata={"description": "As the body's rules spell it."})


class _DecidedSchema(RequestSchema):
    """What decisions of every kind say; a grant where no kind is given."""

    members: ClassVar[Members] = OF_REGISTRATION

    effective_on = Date(required=True, metadata={"description": "The first local day of its effect."})
    through = through_field()
    conditions = conditions_field()
    reason = reason_field()
    private_note = Text(LONGEST_NOTE, lines=True, metadata={"description": "Never shown to the public."})

    @ma.validates_schema
    def says_what_its_kind_says(self, data: dict[str, Any], **_: Any) -> None:
        """Members belong to the kind, and what the kind needs is there."""
        kind = data.get("kind", DecisionKind.GRANTED)
        foreign = frozenset().union(*self.members.values()).intersection(data) - self.members[kind]
        _refuse({name: [self._where(name, kind)] for name in sorted(foreign)})
        _refuse(self._lacking(kind, data))
        through = data.get("through")
        if through is not None and through < data["effective_on"]:
            _refuse({"through": ["Give a last day that is not before effective_on."]})

    def _where(self, name: str, kind: DecisionKind) -> str:
        kinds = ", ".join(k.value for k, names in self.members.items() if name in names)
        return f"This does not go with {kind}; it goes with {kinds}."

    def _lacking(self, kind: DecisionKind, data: dict[str, Any]) -> dict[str, list[str]]:
        if kind is DecisionKind.STATUS_REPORTED and "status" not in data:
            return {"status": ["This is required with status_reported: give the word and its meaning."]}
        scope = self.members[kind].intersection(SCOPE)
        if kind is DecisionKind.CONDITIONS_SET and not scope.intersection(data):
            return {"kind": [f"With conditions_set give at least one of {', '.join(sorted(scope))}."]}
        if kind is DecisionKind.GRANTED and "techniques" in scope and "techniques" not in data:
            return {"techniques": ["This is required with granted: give the techniques."]}
        return {}


def _refuse(messages: dict[str, list[str]]) -> None:
    if messages:
        raise ma.ValidationError(messages)


def wish_of(data: dict[str, Any]) -> Wish:
    """What a loaded decision asks for."""
    scope = {name: data[name] for name in SCOPE if name in data}
    for name in ("conditions", "excluded_regions"):
        if name in scope:
            scope[name] = tuple(scope[name])
    return Wish(
        data.get("kind", DecisionKind.GRANTED),
        data["effective_on"],
        data.get("through"),
        through_by_rules="through" not in data,
        scope=scope,
        report=data.get("status"),
        reason=data.get("reason"),
        private_note=data.get("private_note"),
        override_reason=data.get("override_reason"),
        void_also=sorted(data.get("void_also", ())),
    )


class _AnyKindSchema(_DecidedSchema):
    kind = Word(DecisionKind, RECORDED_KINDS, required=True)
    status = Nested(NewStatusSchema, metadata={"description": "For `status_reported`."})
    void_also = void_also_field()

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> Wish:
        """What is asked for."""
        return wish_of(data)


class _AuthorizingSchema(_DecidedSchema):
    members: ClassVar[Members] = OF_AUTHORIZATION

    techniques = SetOf(Word(Technique), least=1)
    mode = Word(Mode)
    excluded_regions = List(Text(100), most=50)
    override_reason = Text(
        2000, lines=True, metadata={"description": "Why requirements that are not met are passed over."}
    )


class NewRegistrationDecisionSchema(_AnyKindSchema):
    """A decision about a registration.

    `through` goes with granted, renewed and suspended; `register_class` and `conditions` with granted and
    conditions_set (where absent, they stay as they are); `status` with status_reported.
    """

    register_class = register_class_field()


class NewAuthorizationDecisionSchema(_AnyKindSchema, _AuthorizingSchema):
    """A decision about an authorization.

    `through` goes with granted, renewed and suspended; `techniques`, `mode`, `conditions`, `excluded_regions`
    and `override_reason` with granted and conditions_set (where absent, they stay as they are); `status` with
    status_reported.
    """

    members: ClassVar[Members] = OF_AUTHORIZATION


class NewGrantSchema(_AuthorizingSchema):
    """A grant that opens an authorization."""

    techniques = SetOf(Word(Technique), least=1, required=True)
    void_also = void_also_field()

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> Wish:
        """What is asked for."""
        return wish_of(data)


class NewRegistrationSchema(_DecidedSchema):
    """A registration to be opened, with the grant that opens it."""

    practitioner = Id(required=True)
    number = RegistrationNumber(required=True)
    city = Text(100, allow_none=True, load_default=None)
    register_class = register_class_field()

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Who applied, and the grant."""
        applied = Applied(data["practitioner"], data["number"], data["city"])
        return {"applied": applied, "grant": wish_of(data)}


class VoidSchema(RequestSchema):
    """Why a decision is taken back."""

    reason = reason_field(required=True)
    private_note = Text(LONGEST_NOTE, lines=True)
    void_also = void_also_field()


class ScopeSchema(ResponseSchema):
    """What a term permits. Only registrations have a register class, only authorizations techniques."""

    register_class = Text(100, allow_none=True)
    techniques = SetOf(Word(Technique))
    mode = Word(Mode)
    conditions = List(Nested(ConditionSchema))
    excluded_regions = List(Text(100))


class StatusRecordSchema(SourceStatusSchema):
    """A source's own status word, what it was taken to mean, and the standing that it leaves."""

    leaves = Word(Standing)


class SpanRecordSchema(ResponseSchema):
    """Days through which nothing changes."""

    standing = Word(Standing)
    holds = List(
        Word(Standing), metadata={"description": "Every standing that holds, the deciding one first."}
    )
    first_day = Date(allow_none=True, metadata={"description": "Null before anything was decided."})
    last_day = Date(allow_none=True)
    term_from = Date(allow_none=True)
    term_through = Date(allow_none=True)
    scope = Nested(ScopeSchema, allow_none=True)
    status = Nested(StatusRecordSchema, attribute="report", allow_none=True)
    begun_by = Id(
        allow_none=True, metadata={"description": "The decision that began it; null where time did."}
    )


class DraftedDecisionSchema(ResponseSchema):
    """A decision as it would be recorded."""

    authorization_id = Id(
        allow_none=True, metadata={"description": "Null where it is about the registration."}
    )
    subject = Word(SubjectKind)
    kind = Word(DecisionKind)
    effective_on = Date()
    through = Date(allow_none=True)
    scope = Nested(ScopeSchema, allow_none=True)
    status = Nested(StatusRecordSchema, allow_none=True)
    voids = Id(allow_none=True, metadata={"description": "The decision that it takes back."})
    reason = Text(2000, lines=True, allow_none=True)
    private_note = Text(LONGEST_NOTE, lines=True, allow_none=True)
    override_reason = Text(2000, lines=True, allow_none=True)


class DecisionSchema(DraftedDecisionSchema):
    """A decision on record."""

    id = Id()
    registration_id = Id()
    voided = Flag(metadata={"description": "Whether it has been taken back."})
    import_id = Id(allow_none=True)
    recorded_at = Instant()
    recorded_by = Text()


class UnmetSchema(ResponseSchema):
    """A requirement of the body's rules that is not met."""

    requirement = Word(Requirement)
    technique = Word(Technique, allow_none=True)
    required = ma.fields.Raw(allow_none=True, metadata={"description": "What the rules ask."})
    found = ma.fields.Raw(allow_none=True, metadata={"description": "What the register has."})


class ConsequentVerdictSchema(ResponseSchema):
    """The public answer for one technique and day, in short."""

    outcome = Word(Outcome)
    authorized = Flag()
    reasons = List(Word(Reason))
    valid_through = Date(allow_none=True)


class ConsequenceSchema(ResponseSchema):
    """What a decision would change in the public answer."""

    technique = Word(Technique)
    on = Date()
    before = Nested(ConsequentVerdictSchema)
    after = Nested(ConsequentVerdictSchema)
    changes = Flag()


class PreviewSchema(ResponseSchema):
    """What recording would lead to; nothing was recorded."""

    decisions = List(Nested(DraftedDecisionSchema))
    unmet = List(Nested(UnmetSchema))
    consequences = List(Nested(ConsequenceSchema))
