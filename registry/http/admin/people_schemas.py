"""What staff send and see of practitioners and their names."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from registry.domain.vocabulary import NameKind
from registry.http.cursors import PageQuery
from registry.http.fields import (
    BodyCode,
    Flag,
    Id,
    Instant,
    Integer,
    LanguageTag,
    List,
    Nested,
    RegistrationNumber,
    RequestSchema,
    ResponseSchema,
    Text,
    Word,
)
from registry.services.people import PreviousName
from registry.store.people import NewName

LONGEST_NAME = 200
LONGEST_REASON = 2000


def reason_field(*, required: bool = False) -> Text:
    """Why a thing is done, for the register's own staff."""
    about = {"description": "Why; kept, and shown to staff alone."}
    if required:
        return Text(LONGEST_REASON, lines=True, required=True, metadata=about)
    return Text(LONGEST_REASON, lines=True, metadata=about)


class NewNameSchema(RequestSchema):
    """A name. What is shown is `full_name`, or where it is absent given and family name in this order."""

    kind = Word(NameKind, required=True)
    full_name = Text(LONGEST_NAME, metadata={"description": "As its bearer writes it."})
    given = Text(LONGEST_NAME)
    family = Text(LONGEST_NAME)

    @ma.validates_schema
    def says_a_name(self, data: dict[str, Any], **_: Any) -> None:
        """Some part of a name is given."""
        if not data.keys() & {"full_name", "given", "family"}:
            raise ma.ValidationError("Give the full name, or its parts.", "full_name")

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> NewName:
        """The name, in full."""
        given, family = data.get("given"), data.get("family")
        full_name = data.get("full_name") or " ".join(part for part in (given, family) if part)
        return NewName(data["kind"], full_name, given, family)


def names_field(**options: Any) -> List:
    """All names of a person."""
    about = {"description": "Exactly one published name, at most one legal name, any former ones."}
    return List(Nested(NewNameSchema), least=1, most=50, metadata=about, **options)


def languages_field(**options: Any) -> List:
    """Languages spoken."""
    return List(LanguageTag(), most=50, metadata={"description": "The preferred one first."}, **options)


class NewPractitionerSchema(RequestSchema):
    """A practitioner to be taken into the register."""

    names = names_field(required=True)
    languages = languages_field(load_default=list)
    withheld = Flag(
        load_default=False,
        metadata={
            "description": "Hide the person for their safety; whether a number is authorized stays told."
        },
    )


class PractitionerChangeSchema(RequestSchema):
    """What is to be changed of a practitioner; what is absent stays as it is."""

    names = names_field()
    previous_becomes = Word(
        PreviousName,
        metadata={"description": "What a published name becomes that another replaces: `nothing` if absent."},
    )
    languages = languages_field()
    withheld = Flag(metadata={"description": "Whether the record is hidden; needs a reason."})
    shows_former_names = Flag(
        metadata={"description": "Whether former names are public where the body publishes such."}
    )
    reason = reason_field()

    @ma.validates_schema
    def says_what_and_why(self, data: dict[str, Any], **_: Any) -> None:
        """Something is changed, and hiding or showing a person has a reason."""
        if "withheld" in data and "reason" not in data:
            raise ma.ValidationError("Say why the record is withheld or released.", "reason")
        if "previous_becomes" in data and "names" not in data:
            raise ma.ValidationError("This goes with names.", "previous_becomes")
        if not data.keys() & {"names", "languages", "withheld", "shows_former_names"}:
            raise ma.ValidationError("Give names, languages, withheld or shows_former_names.")


class ListedNameSchema(ResponseSchema):
    """A name in use."""

    kind = Word(NameKind)
    full_name = Text(LONGEST_NAME)


class KeptNameSchema(ListedNameSchema):
    """A name that is, or was, in use."""

    id = Id()
    given = Text(LONGEST_NAME, allow_none=True)
    family = Text(LONGEST_NAME, allow_none=True)
    recorded_at = Instant()
    recorded_by = Text()
    ended_at = Instant(
        allow_none=True, metadata={"description": "When it went out of use; null while in use."}
    )


class AmendedFieldSchema(ResponseSchema):
    """What a correction replaced."""

    field = Text()
    was = ma.fields.Raw(
        allow_none=True, metadata={"description": "As it was before; of the field's own type."}
    )
    now = ma.fields.Raw(allow_none=True, metadata={"description": "As it was from then on."})


class AmendmentSchema(ResponseSchema):
    """A correction in place."""

    changed = List(Nested(AmendedFieldSchema))
    reason = Text(LONGEST_REASON, lines=True, allow_none=True)
    recorded_at = Instant()
    recorded_by = Text()


class HeldRegistrationSchema(ResponseSchema):
    """A registration that a person holds."""

    id = Id()
    body = BodyCode()
    number = RegistrationNumber()


class MergeSchema(ResponseSchema):
    """A duplicate record joined to the one that is kept."""

    id = Id()
    kept = Id(attribute="kept_id")
    merged = Id(attribute="merged_id")
    registrations = List(Id(), attribute="moved.registrations")
    trainings = List(Id(), attribute="moved.trainings")
    reason = Text(LONGEST_REASON, lines=True)
    recorded_at = Instant()
    recorded_by = Text()
    reversed_at = Instant(allow_none=True)
    reversed_by = Text(allow_none=True)


class PractitionerRecordSchema(ResponseSchema):
    """All that is kept of a practitioner."""

    id = Id()
    version = Integer()
    names = List(Nested(KeptNameSchema))
    languages = List(LanguageTag())
    withheld = Flag()
    shows_former_names = Flag(
        metadata={"description": "Whether former names are public where the body publishes such."}
    )
    erased = Flag(
        attribute="is_erased",
        metadata={"description": "Whether the identity was erased; the name is then a pseudonym."},
    )
    merged_into = Id(allow_none=True, metadata={"description": "The record that this one was merged into."})
    registrations = List(Nested(HeldRegistrationSchema))
    merges = List(Nested(MergeSchema))
    amendments = List(Nested(AmendmentSchema))


class ListedPractitionerSchema(ResponseSchema):
    """A practitioner in a list."""

    id = Id()
    names = List(Nested(ListedNameSchema))
    withheld = Flag()
    registrations = List(Nested(HeldRegistrationSchema))


class PractitionersQuery(PageQuery):
    """Which practitioners."""

    name = Text(
        LONGEST_NAME,
        load_default=None,
        metadata={"description": "Words of any name, legal and former ones too."},
    )


class MergeRequestSchema(RequestSchema):
    """A duplicate to be joined to the record at this address."""

    duplicate = Id(required=True, metadata={"description": "The record to be merged into this one."})
    reason = reason_field(required=True)


class WithdrawalSchema(RequestSchema):
    """Why something counts no longer."""

    reason = reason_field(required=True)
