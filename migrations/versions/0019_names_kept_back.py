"""Find people by names that the public does not see, without going through all names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEPT_BACK = sa.text("kind = 'legal' OR ended_at IS NOT NULL")
WITHHELD = sa.text("withheld")


def upgrade() -> None:
    op.create_index(
        "ix_practitioner_names_kept_back",
        "practitioner_names",
        ["practitioner_id"],
        sqlite_where=KEPT_BACK,
        postgresql_where=KEPT_BACK,
    )
    op.create_index(
        "ix_practitioners_withheld",
        "practitioners",
        ["id"],
        sqlite_where=WITHHELD,
        postgresql_where=WITHHELD,
    )


def downgrade() -> None:
    op.drop_index("ix_practitioners_withheld", "practitioners")
    op.drop_index("ix_practitioner_names_kept_back", "practitioner_names")
