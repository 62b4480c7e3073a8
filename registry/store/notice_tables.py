"""The tables of notices: where people are written to, what was or is to be sent, who gets a digest."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from registry.domain.notices import NoticeKind, NoticeState, TemplateKind

from .tables import body_key, metadata, one_of
from .types import Identifier, Instant

contacts = Table(
    "contacts",
    metadata,
    Column("practitioner_id", Identifier, ForeignKey("practitioners.id"), primary_key=True),
    Column("email", Text, nullable=False),
    Column("language", Text),
    Column("version", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
)
"""Private. ``language``: of correspondence. A person who was merged keeps theirs, and the other is written to
there where it has none of its own."""

digest_recipients = Table(
    "digest_recipients",
    metadata,
    Column("id", Identifier, primary_key=True),
    body_key(),
    Column("email", Text, nullable=False),
    Column("language", Text),
    Column("token", Text, nullable=False, unique=True),
    Column("added_at", Instant, nullable=False),
    Column("added_by", Text, nullable=False),
    UniqueConstraint("body_id", "email"),
)
"""``token``: in the address that ends the digest; whoever knows it can do that and nothing else."""

notices = Table(
    "notices",
    metadata,
    Column("id", Identifier, primary_key=True),
    body_key(),
    Column("kind", Text, nullable=False),
    Column("subject_id", Identifier, nullable=False),
    Column("day", Date, nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), index=True),
    Column("authorization_id", Identifier, ForeignKey("needling_authorizations.id")),
    Column("state", Text, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("uncertain", Integer, nullable=False),
    Column("lease", Identifier),
    Column("lease_until", Instant),
    Column("settled_at", Instant),
    Column("failure", Text),
    one_of("kind", NoticeKind),
    one_of("state", NoticeState),
    UniqueConstraint("kind", "subject_id", "day", "threshold"),
    Index(None, "body_id", "id"),
    Index(None, "body_id", "state", "id"),
)
"""Each threshold of each term once, whatever becomes of it; no address and no text is in it.

``subject_id``: the registration, the authorization, or who gets a digest. ``day``: the last day of the term,
the first of the suspension, or the day of the digest. ``uncertain``: attempts of which nobody knows whether
the message was taken. ``failure``: a code, never a server's words, which quote addresses.
"""

OPEN = notices.c.state.in_(("queued", "sending"))
Index(
    "ix_notices_open",
    *(notices.c.next_attempt_at, notices.c.id),
    sqlite_where=OPEN,
    postgresql_where=OPEN,
)

notice_templates = Table(
    "notice_templates",
    metadata,
    Column("body_id", Identifier, ForeignKey("bodies.id"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    one_of("kind", TemplateKind),
)

notice_marks = Table(
    "notice_marks",
    metadata,
    Column("body_id", Identifier, ForeignKey("bodies.id"), primary_key=True),
    Column("planned_on", Date, nullable=False),
    Column("after_seq", BigInteger, nullable=False),
)
"""The local day that a body's notices are planned for, and the newest event that was taken into account."""
