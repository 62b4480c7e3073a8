"""How OpenAPI describes the public answers, whose members :mod:`registry.http.disclosure` fills."""

from __future__ import annotations

from registry.domain.vocabulary import Mode, Outcome, PracticePermission, Reason, Standing, Technique

from .fields import (
    BodyCode,
    Date,
    Flag,
    Hours,
    HttpsAddress,
    Id,
    Instant,
    Jurisdiction,
    List,
    Nested,
    RegistrationNumber,
    ResponseSchema,
    Text,
    TimeZone,
    Word,
)

NAME = 200
WORDS = 2000
AS_OF = "All that was recorded before this instant is in the answer."
MANY = 10_000


class BodySchema(ResponseSchema):
    """A regulatory body."""

    code = BodyCode()
    name = Text(NAME)
    jurisdiction = Jurisdiction()
    time_zone = TimeZone()
    website = HttpsAddress(allow_none=True)


class ConditionSchema(ResponseSchema):
    """A condition on practice; its text is null where the body withholds it."""

    text = Text(WORDS, allow_none=True)
    withheld = Flag()


class SourceStatusSchema(ResponseSchema):
    """A status as its source worded it, and what it was taken to mean."""

    word = Text(NAME)
    practice = Word(PracticePermission)
    disciplinary = Flag()


class SpanSchema(ResponseSchema):
    """How something stands: since when and through which local day, and the term that it belongs to."""

    standing = Word(Standing)
    also = List(Word(Standing))
    since = Date(allow_none=True)
    until = Date(allow_none=True)
    term_from = Date(allow_none=True)
    term_through = Date(allow_none=True)
    source_status = Nested(SourceStatusSchema, allow_none=True)


class RegistrationOnDaySchema(SpanSchema):
    """A registration on a day."""

    register_class = Text(NAME, allow_none=True)
    conditions = List(Nested(ConditionSchema))


class AuthorizationOnDaySchema(SpanSchema):
    """An authorization on a day."""

    id = Id()
    mode = Word(Mode, allow_none=True)
    conditions = List(Nested(ConditionSchema))
    excluded_regions = List(Text(NAME))


class PublishedAuthorizationSchema(AuthorizationOnDaySchema):
    """An authorization on a day, with every technique that it covers."""

    techniques = List(Word(Technique))


class VerdictSchema(ResponseSchema):
    """The answer for one technique. ``authorized`` is true only for a yes to the question as asked."""

    technique = Word(Technique)
    authorized = Flag()
    outcome = Word(Outcome)
    reasons = List(Word(Reason))
    conditions = List(Nested(ConditionSchema))
    excluded_regions = List(Text(NAME))
    valid_through = Date(
        allow_none=True,
        metadata={"description": "The last local day of the same answer as known now; null: none is known."},
    )
    valid_until = Instant(allow_none=True, metadata={"description": "The instant at which that day is over."})
    authorizations = List(Nested(AuthorizationOnDaySchema))


class VerifiedPractitionerSchema(ResponseSchema):
    """Whom a number belongs to; the name is null where the record is withheld."""

    id = Id()
    name = Text(NAME, allow_none=True)
    withheld = Flag()


class VerificationSchema(ResponseSchema):
    """May this person needle, on a day, according to one body?"""

    body = Nested(BodySchema)
    number = RegistrationNumber()
    practitioner = Nested(VerifiedPractitionerSchema, allow_none=True)
    on = Date()
    mode = Word(Mode)
    known_at = Instant(allow_none=True)
    as_of = Instant(metadata={"description": AS_OF})
    authorized = Flag(metadata={"description": "Whether every technique asked about is authorized."})
    registration = Nested(RegistrationOnDaySchema, allow_none=True)
    verdicts = List(Nested(VerdictSchema))


class TrainingSchema(ResponseSchema):
    """Training that the body publishes; hours of theory and practice together."""

    title = Text(NAME)
    provider = Text(NAME, allow_none=True)
    techniques = List(Word(Technique))
    completed_on = Date()
    hours = Hours()
    approved = Flag()


class PublishedPersonSchema(VerifiedPractitionerSchema):
    """Whom an entry is about. Former names are there only where the body publishes them."""

    former_names = List(Text(NAME))
    languages = List(Text(35))


class EntrySchema(ResponseSchema):
    """The public entry of a registration."""

    body = Nested(BodySchema)
    number = RegistrationNumber()
    practitioner = Nested(PublishedPersonSchema)
    city = Text(NAME, allow_none=True)
    on = Date()
    as_of = Instant(metadata={"description": AS_OF})
    registration = Nested(RegistrationOnDaySchema)
    authorizations = List(Nested(PublishedAuthorizationSchema))
    trainings = List(Nested(TrainingSchema))


class PractitionerSchema(ResponseSchema):
    """A person, with every registration apart."""

    id = Id()
    name = Text(NAME, allow_none=True)
    languages = List(Text(35))
    withheld = Flag()
    registrations = List(Nested(EntrySchema))


class BodiesSchema(ResponseSchema):
    """The bodies whose registers are kept here."""

    items = List(Nested(BodySchema))
