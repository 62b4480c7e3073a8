"""Keep which coming days clinics asked about, so that registrars see whom a decision touches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.String(length=36)
MODES = "'independent', 'supervised'"


def _of(column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_booked_checks_{column}_{other}"))


def upgrade() -> None:
    op.create_table(
        "booked_checks",
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("technique", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("body_id", ID, nullable=False),
        _of("owner_id", "principals"),
        _of("registration_id", "registrations"),
        _of("body_id", "bodies"),
        sa.CheckConstraint(f"mode IN ({MODES})", name=op.f("ck_booked_checks_mode_known")),
        sa.PrimaryKeyConstraint(
            "owner_id", "registration_id", "day", "technique", "mode", name=op.f("pk_booked_checks")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_booked_checks_registration_id", "booked_checks", ["registration_id"])
    op.create_index("ix_booked_checks_body_id_day", "booked_checks", ["body_id", "day"])


def downgrade() -> None:
    op.drop_table("booked_checks")
