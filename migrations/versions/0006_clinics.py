"""Keep the answers of each registration ready for batches, and the rosters of clinics.

What is ready is filled in as registrations change; ``registry check --repair`` fills in all of it. Until then
the entries answer, more slowly.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.String(length=36)
INSTANT = sa.DateTime(timezone=True)


def _of(column: str, table: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))


def upgrade() -> None:
    op.add_column("entries", sa.Column("answers", sa.Text(), nullable=True))
    op.create_table(
        "rosters",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        _of("owner_id", "rosters", "api_keys"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rosters")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_rosters_owner_id_name")),
    )
    op.create_table(
        "roster_members",
        sa.Column("roster_id", ID, nullable=False),
        sa.Column("body_id", ID, nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("registration_id", ID, nullable=True),
        _of("roster_id", "roster_members", "rosters"),
        _of("body_id", "roster_members", "bodies"),
        _of("registration_id", "roster_members", "registrations"),
        sa.PrimaryKeyConstraint("roster_id", "body_id", "number_key", name=op.f("pk_roster_members")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_roster_members_registration_id"), "roster_members", ["registration_id"])


def downgrade() -> None:
    op.drop_table("roster_members")
    op.drop_table("rosters")
    op.drop_column("entries", "answers")
