"""Keep where people are written to, and which notices were sent or are to be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ID = sa.String(length=36)
INSTANT = sa.DateTime(timezone=True)
KINDS = "kind IN ('term_ends', 'suspended', 'digest')"
STATES = (
    "state IN ('queued', 'sending', 'sent', 'no_address', 'refused', 'bounced', 'passed_over', 'cancelled')"
)
TEMPLATES = "kind IN ('term_ends', 'ends_today', 'suspended')"
OPEN = "state IN ('queued', 'sending')"


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("practitioner_id", ID, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioners.id"],
            name=op.f("fk_contacts_practitioner_id_practitioners"),
        ),
        sa.PrimaryKeyConstraint("practitioner_id", name=op.f("pk_contacts")),
    )
    op.create_table(
        "digest_recipients",
        sa.Column("id", ID, nullable=False),
        sa.Column("body_id", ID, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_digest_recipients_body_id_bodies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_recipients")),
        sa.UniqueConstraint("body_id", "email", name=op.f("uq_digest_recipients_body_id_email")),
        sa.UniqueConstraint("token", name=op.f("uq_digest_recipients_token")),
    )
    op.create_table(
        "notices",
        sa.Column("id", ID, nullable=False),
        sa.Column("body_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("registration_id", ID, nullable=True),
        sa.Column("authorization_id", ID, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("uncertain", sa.Integer(), nullable=False),
        sa.Column("lease", ID, nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_notices_kind_known")),
        sa.CheckConstraint(STATES, name=op.f("ck_notices_state_known")),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_notices_body_id_bodies")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_notices_registration_id_registrations")
        ),
        sa.ForeignKeyConstraint(
            ["authorization_id"],
            ["needling_authorizations.id"],
            name=op.f("fk_notices_authorization_id_needling_authorizations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "kind", "subject_id", "day", "threshold", name=op.f("uq_notices_kind_subject_id_day_threshold")
        ),
    )
    op.create_index("ix_notices_registration_id", "notices", ["registration_id"])
    op.create_index("ix_notices_body_id_id", "notices", ["body_id", "id"])
    op.create_index("ix_notices_body_id_state_id", "notices", ["body_id", "state", "id"])
    op.create_index(
        "ix_notices_open",
        "notices",
        ["next_attempt_at", "id"],
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_table(
        "notice_templates",
        sa.Column("body_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.CheckConstraint(TEMPLATES, name=op.f("ck_notice_templates_kind_known")),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_notice_templates_body_id_bodies")),
        sa.PrimaryKeyConstraint("body_id", "kind", "language", name=op.f("pk_notice_templates")),
    )
    op.create_table(
        "notice_marks",
        sa.Column("body_id", ID, nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("after_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_notice_marks_body_id_bodies")),
        sa.PrimaryKeyConstraint("body_id", name=op.f("pk_notice_marks")),
    )


def downgrade() -> None:
    for table in ("notice_marks", "notice_templates", "notices", "digest_recipients", "contacts"):
        op.drop_table(table)
