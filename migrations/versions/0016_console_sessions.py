"""Keep who is signed in to the console, and the links by which they may sign in once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.String(length=36)
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "console_links",
        sa.Column("id", ID, nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("principal_id", ID, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("body_id", ID, nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_console_links_body_id_bodies")),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_console_links_principal_id_principals")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_links")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_console_links_secret_hash")),
    )
    op.create_table(
        "console_sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("principal_id", ID, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("body_id", ID, nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("agent_hash", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("at_body_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["at_body_id"], ["bodies.id"], name=op.f("fk_console_sessions_at_body_id_bodies")
        ),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_console_sessions_body_id_bodies")),
        sa.ForeignKeyConstraint(
            ["principal_id"], ["principals.id"], name=op.f("fk_console_sessions_principal_id_principals")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_sessions")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_console_sessions_secret_hash")),
    )
    op.create_index(
        op.f("ix_console_sessions_principal_id"), "console_sessions", ["principal_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_console_sessions_principal_id"), table_name="console_sessions")
    op.drop_table("console_sessions")
    op.drop_table("console_links")
