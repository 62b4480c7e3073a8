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
    RequestSchema,
    ResponseSchema,
    SetOf,
    Text,
    Word,
)
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
    about = "The last day, inclusive; null for an open end. Absent: by the body's rules, or open for a suspension."
    return Date(allow_none=True, metadata={"description": about})


class NewDecisionSchema(RequestSchema):
    """A decision to be recorded. Which members go with which kind is said by :attr:`members`."""

    members: ClassVar[Members] = OF_REGISTRATION

    kind = Word(DecisionKind, RECORDED_KINDS, required=True)
    effective_on = Date(required=True, metadata={"description": "The first local day of its effect."})
    through = through_field()
    conditions = conditions_field()
    status = Nested(NewStatusSchema, metadata={"description": "For `status_reported`."})
    reason = reason_field()
    private_note = Text(LONGEST_NOTE, lines=True, metadata={"description": "Never shown to the public."})
    void_also = SetOf(
        Id(),
        most=50,
        load_default=frozenset,
        metadata={
            "description": "Decisions on record that would make no sense after this one, to be voided."
        },
    )

    @ma.validates_schema
    def says_what_its_kind_says(self, data: dict[str, Any], **_: Any) -> None:
        """Members belong to the kind, and what the kind needs is there."""
        kind = data["kind"]
        foreign = _every(self.members).intersection(data) - self.members[kind]
        _refuse({name: [self._where(name, kind)] for name in sorted(foreign)})
        _refuse(dict(self._lacking(data)))
        through = data.get("through")
        if through is not None and through < data["effective_on"]:
            _refuse({"through": ["Give a last day that is not before effective_on."]})

    def _where(self, name: str, kind: DecisionKind) -> str:
        kinds = ", ".join(k.value for k, names in self.members.items() if name in names)
        return f"This does not go with {kind}; it goes with {kinds}."

    def _lacking(self, data: dict[str, Any]) -> dict[str, list[str]]:
        kind = data["kind"]
        if kind is DecisionKind.STATUS_REPORTED and "status" not in data:
            return {"status": ["This is required with status_reported: give the word and its meaning."]}
        scope = self.members[kind].intersection(SCOPE)
        if kind is DecisionKind.CONDITIONS_SET and not scope.intersection(data):
            return {"kind": [f"With conditions_set give at least one of {', '.join(sorted(scope))}."]}
        if kind is DecisionKind.GRANTED and "techniques" in scope and "techniques" not in data:
            return {"techniques": ["This is required with granted: give the techniques."]}
        return {}

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> Wish:
        """What is asked for."""
        return wish_of(data)


def _every(members: Members) -> frozenset[str]:
    return frozenset().union(*members.values())


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
        data["kind"],
        data["effective_on"],
        data.get("through"),
        through_by_rules="through" not in data,
        scope=scope,
        report=data.get("status"),
        reason=data.get("reason"),
        private_note=data.get("private_note"),
        override_reason=data.get("override_reason"),
        void_also=sorted(data["void_also"]),
    )


class NewRegistrationDecisionSchema(NewDecisionSchema):
    """A decision about a registration.

    `through` goes with granted, renewed and suspended; `register_class` and `conditions` with granted and
    conditions_set (where absent, they stay as they are); `status` with status_reported.
    """

    register_class = Text(100, allow_none=True)


class NewAuthorizationDecisionSchema(NewDecisionSchema):
    """A decision about an authorization.

    `through` goes with granted, renewed and suspended; `techniques`, `mode`, `conditions`, `excluded_regions`
    and `override_reason` with granted and conditions_set (where absent, they stay as they are); `status` with
    status_reported.
    """

    members: ClassVar[Members] = OF_AUTHORIZATION

    techniques = SetOf(Word(Technique), least=1)
    mode = Word(Mode)
    excluded_regions = List(Text(100), most=50)
    override_reason = Text(
        2000, lines=True, metadata={"description": "Why requirements that are not met are passed over."}
    )


class NewGrantSchema(NewAuthorizationDecisionSchema):
    """A grant that opens an authorization."""

    class Meta(NewAuthorizationDecisionSchema.Meta):
        exclude = ("kind", "status")

    techniques = SetOf(Word(Technique), least=1, required=True)

    @ma.pre_load
    def is_a_grant(self, data: Any, **_: Any) -> Any:
        """Nothing else opens an authorization."""
        return data

    @ma.validates_schema
    def says_what_its_kind_says(self, data: dict[str, Any], **_: Any) -> None:
        """As a decision of the kind granted."""
        super().says_what_its_kind_says({**data, "kind": DecisionKind.GRANTED})

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> Wish:
        """What is asked for."""
        return wish_of({**data, "kind": DecisionKind.GRANTED})


class VoidSchema(RequestSchema):
    """Why a decision is taken back."""

    reason = reason_field(required=True)
    private_note = Text(LONGEST_NOTE, lines=True)
    void_also = SetOf(Id(), most=50, load_default=frozenset)


class ShownConditionSchema(ResponseSchema):
    """A condition, with its words."""

    text = Text(LONGEST_CONDITION, lines=True)
    withheld = Flag()


class ScopeSchema(ResponseSchema):
    """What a term permits; `register_class` is of registrations, `techniques` to `excluded_regions` of both."""

    register_class = Text(100, allow_none=True)
    techniques = SetOf(Word(Technique))
    mode = Word(Mode)
    conditions = List(Nested(ShownConditionSchema))
    excluded_regions = List(Text(100))


class ShownStatusSchema(ResponseSchema):
    """A source's own status word, and what it was taken to mean."""

    word = Text(200)
    practice = Word(PracticePermission)
    disciplinary = Flag()
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
    status = Nested(ShownStatusSchema, attribute="report", allow_none=True)
    begun_by = Id(
        allow_none=True, metadata={"description": "The decision that began it; null where time did."}
    )


class DecisionSchema(ResponseSchema):
    """A decision on record."""

    id = Id()
    registration_id = Id()
    authorization_id = Id(
        allow_none=True, metadata={"description": "Null where it is about the registration."}
    )
    subject = Word(SubjectKind)
    kind = Word(DecisionKind)
    effective_on = Date()
    through = Date(allow_none=True)
    scope = Nested(ScopeSchema, allow_none=True)
    status = Nested(ShownStatusSchema, allow_none=True)
    voids = Id(allow_none=True, metadata={"description": "The decision that it takes back."})
    voided = Flag(metadata={"description": "Whether it has been taken back."})
    reason = Text(2000, lines=True, allow_none=True)
    private_note = Text(LONGEST_NOTE, lines=True, allow_none=True)
    override_reason = Text(2000, lines=True, allow_none=True)
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

    decisions = List(Nested(DecisionSchema(exclude=("id", "recorded_at"))))
    unmet = List(Nested(UnmetSchema))
    consequences = List(Nested(ConsequenceSchema))
