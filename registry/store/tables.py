"""The tables. Facts first (what was decided, by whom), then what is derived from them.

``spans``, ``lapses`` (but for what registrars noted on them), ``entries`` and ``bodies.document`` are caches
of the facts, rewritten in the transaction that changes a fact. ``registry check`` derives them anew and names
each difference.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    text,
)

from registry.domain.vocabulary import (
    AmendmentSubject,
    DecisionKind,
    LapseKind,
    NameKind,
    Standing,
    SubjectKind,
)

from .types import Identifier, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ONLY_ON = "only on"
"""In the ``info`` of something: the one engine that has it."""


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """The column holds a word of a closed vocabulary."""
    words = ", ".join(f"'{word}'" for word in values)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


def body_key(*, primary_key: bool = False) -> Column[str]:
    """The body that a row belongs to."""
    return Column("body_id", Identifier, ForeignKey("bodies.id"), nullable=False, primary_key=primary_key)


bodies = Table(
    "bodies",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("jurisdiction", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("website", Text),
    Column("publishes_training", Boolean, nullable=False),
    Column("publishes_former_names", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("swept_through", Date),
    Column("created_at", Instant, nullable=False),
)

body_rules = Table(
    "body_rules",
    metadata,
    Column("id", Identifier, primary_key=True),
    body_key(),
    Column("holds_from", Date, nullable=False),
    Column("document", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("reason", Text),
    Index(None, "body_id", "holds_from"),
)

practitioners = Table(
    "practitioners",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("withheld", Boolean, nullable=False),
    Column("languages", Text, nullable=False),
    Column("merged_into", Identifier, ForeignKey("practitioners.id"), index=True),
    Column("created_at", Instant, nullable=False),
    Column("shows_former_names", Boolean),
    Column("erased_at", Instant),
)
"""``shows_former_names``: false where former names stay private, whatever the body does; null: as it does.
``erased_at``: since when nothing is kept of who the person is, and the name is a pseudonym."""

practitioner_names = Table(
    "practitioner_names",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("practitioner_id", Identifier, ForeignKey("practitioners.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("full_name", Text, nullable=False),
    Column("given", Text),
    Column("family", Text),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("ended_at", Instant),
    one_of("kind", NameKind),
)

# What no index of the public's holds, for those who may find people by it: few of all.
KEPT_BACK = text("kind = 'legal' OR ended_at IS NOT NULL")
Index(
    "ix_practitioner_names_kept_back",
    practitioner_names.c.practitioner_id,
    sqlite_where=KEPT_BACK,
    postgresql_where=KEPT_BACK,
)
WITHHELD = text("withheld")
Index("ix_practitioners_withheld", practitioners.c.id, sqlite_where=WITHHELD, postgresql_where=WITHHELD)

registrations = Table(
    "registrations",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("practitioner_id", Identifier, ForeignKey("practitioners.id"), nullable=False, index=True),
    body_key(),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("city", Text),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("body_id", "number_key"),
)

needling_authorizations = Table(
    "needling_authorizations",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), nullable=False),
    Column("authorization_id", Identifier, ForeignKey("needling_authorizations.id")),
    Column("kind", Text, nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("through", Date),
    Column("scope", Text),
    Column("report", Text),
    Column("voids", Identifier, ForeignKey("decisions.id")),
    Column("reason", Text),
    Column("private_note", Text),
    Column("override_reason", Text),
    Column("import_id", Identifier),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
    one_of("kind", DecisionKind),
    CheckConstraint("through IS NULL OR through >= effective_on", name="ends_after_it_begins"),
    CheckConstraint("(kind = 'voided') = (voids IS NOT NULL)", name="voids_what_it_names"),
    CheckConstraint("kind <> 'granted' OR scope IS NOT NULL", name="grants_a_scope"),
    Index(None, "registration_id", "recorded_at"),
    Index(None, "import_id"),
)

courses = Table(
    "courses",
    metadata,
    Column("id", Identifier, primary_key=True),
    body_key(),
    Column("title", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("techniques", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index(None, "body_id", "id"),
)

course_approvals = Table(
    "course_approvals",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("course_id", Identifier, ForeignKey("courses.id"), nullable=False, index=True),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
    CheckConstraint("last_day IS NULL OR last_day >= first_day", name="ends_after_it_begins"),
)

trainings = Table(
    "trainings",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("practitioner_id", Identifier, ForeignKey("practitioners.id"), nullable=False, index=True),
    body_key(),
    Column("course_id", Identifier, ForeignKey("courses.id")),
    Column("title", Text, nullable=False),
    Column("provider", Text),
    Column("techniques", Text, nullable=False),
    Column("completed_on", Date, nullable=False),
    Column("hours_theory", Float, nullable=False),
    Column("hours_practical", Float, nullable=False),
    Column("hours_in_person", Float, nullable=False),
    Column("supervised_sessions", Integer, nullable=False),
    Column("examination_passed", Boolean, nullable=False),
    Column("safety_component", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_because", Text),
    CheckConstraint("hours_theory >= 0 AND hours_practical >= 0 AND hours_in_person >= 0", name="hours"),
)

merges = Table(
    "merges",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("kept_id", Identifier, ForeignKey("practitioners.id"), nullable=False, index=True),
    Column("merged_id", Identifier, ForeignKey("practitioners.id"), nullable=False, index=True),
    Column("moved", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("reversed_at", Instant),
    Column("reversed_by", Text),
)

amendments = Table(
    "amendments",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("subject_id", Identifier, nullable=False),
    Column("changed", Text, nullable=False),
    Column("reason", Text),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
    one_of("subject", AmendmentSubject),
    Index(None, "subject_id", "id"),
)

spans = Table(
    "spans",
    metadata,
    Column("subject_id", Identifier, primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date),
    Column("standing", Text, nullable=False),
    Column("term_through", Date),
    Column("subject_kind", Text, nullable=False),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), nullable=False, index=True),
    body_key(),
    one_of("standing", Standing),
    one_of("subject_kind", SubjectKind),
    CheckConstraint("last_day IS NULL OR last_day >= first_day", name="ends_after_it_begins"),
    # The subject too: on one night thousands of terms end, and the sweep goes through them a page at a time.
    Index(None, "body_id", "first_day", "subject_id"),
    Index(None, "body_id", "term_through", "subject_id"),
    # How many stand how on which days is counted without reading the rows: fifty thousand people at once.
    Index("ix_spans_begun", "body_id", "subject_kind", "standing", "first_day"),
    Index("ix_spans_ended", "body_id", "subject_kind", "standing", "last_day"),
)

entries = Table(
    "entries",
    metadata,
    Column("body_id", Identifier, ForeignKey("bodies.id"), primary_key=True),
    Column("number_key", Text, primary_key=True),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), nullable=False, unique=True),
    Column("practitioner_id", Identifier, ForeignKey("practitioners.id"), nullable=False, index=True),
    Column("city_key", Text),
    Column("document", Text, nullable=False),
    Column("answers", Text),
    Index(None, "city_key", "registration_id"),
    # What batches ask for stands close together in it. PostgreSQL takes no row of any length into an index.
    Index(None, "body_id", "number_key", "answers", info={ONLY_ON: "sqlite"}),
)

lapses = Table(
    "lapses",
    metadata,
    Column("id", Identifier, primary_key=True),
    body_key(),
    Column("kind", Text, nullable=False),
    Column("subject_id", Identifier, nullable=False),
    Column("detail_key", Text, nullable=False),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), nullable=False, index=True),
    Column("authorization_id", Identifier, ForeignKey("needling_authorizations.id")),
    Column("since", Date, nullable=False),
    Column("until", Date),
    Column("why", Text, nullable=False),
    Column("ended_by", Identifier),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", Text),
    Column("note", Text),
    Column("resolved_at", Instant),
    Column("resolved_by", Identifier),
    Column("noticed_at", Instant),
    Column("assigned_to", Text),
    Column("version", Integer, nullable=False, server_default="1"),
    one_of("kind", LapseKind),
    UniqueConstraint("kind", "subject_id", "since", "detail_key"),
    Index(None, "body_id", "since", "id"),
    Index(None, "body_id", "kind", "since", "id"),
)

# With the years most lapses are resolved: each state is found without going through the others.
UNRESOLVED = lapses.c.resolved_at.is_(None)
Index(
    "ix_lapses_unresolved",
    *(lapses.c.body_id, lapses.c.since, lapses.c.id),
    sqlite_where=UNRESOLVED,
    postgresql_where=UNRESOLVED,
)
RESOLVED = lapses.c.resolved_at.is_not(None)
Index(
    "ix_lapses_resolved",
    *(lapses.c.body_id, lapses.c.since, lapses.c.id),
    sqlite_where=RESOLVED,
    postgresql_where=RESOLVED,
)
ACKNOWLEDGED = and_(UNRESOLVED, lapses.c.acknowledged_at.is_not(None))
Index(
    "ix_lapses_acknowledged",
    *(lapses.c.body_id, lapses.c.since, lapses.c.id),
    sqlite_where=ACKNOWLEDGED,
    postgresql_where=ACKNOWLEDGED,
)
ASSIGNED = and_(UNRESOLVED, lapses.c.assigned_to.is_not(None))
Index(
    "ix_lapses_assigned",
    *(lapses.c.assigned_to, lapses.c.body_id, lapses.c.since, lapses.c.id),
    sqlite_where=ASSIGNED,
    postgresql_where=ASSIGNED,
)
NOTICED = and_(UNRESOLVED, lapses.c.noticed_at.is_not(None))
Index(
    "ix_lapses_noticed",
    *(lapses.c.body_id, lapses.c.noticed_at),
    sqlite_where=NOTICED,
    postgresql_where=NOTICED,
)
ENDING = and_(UNRESOLVED, lapses.c.until.is_not(None))
Index(
    "ix_lapses_ending",
    *(lapses.c.body_id, lapses.c.until),
    sqlite_where=ENDING,
    postgresql_where=ENDING,
)

lapse_notes = Table(
    "lapse_notes",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("lapse_id", Identifier, nullable=False),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Index(None, "lapse_id", "id"),
)
"""What registrars wrote about lapses, never changed. A note outlives a lapse that was averted."""

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", Identifier, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("body_id", Identifier, ForeignKey("bodies.id")),
    Column("registration_id", Identifier),
    Column("authorization_id", Identifier),
    Column("decision_id", Identifier),
    Column("day", Date, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("data", Text, nullable=False),
    Column("announces", Text, unique=True),
    Column("audience", Identifier),
    Index(None, "registration_id", "seq"),
    sqlite_autoincrement=True,
)
"""``audience``: the key whose holder alone may see the event; null for everyone. ``body_id``: null where it
concerns none, as what only one key's holder may see.
"""

principals = Table(
    "principals",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("issuer", Text),
    Column("subject", Text),
    Column("created_at", Instant, nullable=False),
    Column("blocked_at", Instant),
    Column("blocked_by", Text),
    CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="named_by_issuer_and_subject"),
    UniqueConstraint("issuer", "subject"),
)
"""Who may own something: each key under its own identifier, each holder of tokens by issuer and subject."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Identifier, ForeignKey("principals.id"), primary_key=True),
    Column("prefix", Text, nullable=False, unique=True),
    Column("secret_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("body_id", Identifier, ForeignKey("bodies.id")),
    Column("label", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Column("revoked_by", Text),
    Column("scopes", Text),
    Column("previous_hash", Text),
    Column("previous_until", Instant),
    Column("rotated_at", Instant),
    Column("rotated_by", Text),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("lease", Identifier, nullable=False),
    Column("begun_at", Instant, nullable=False, index=True),
    Column("response", Text),
)
