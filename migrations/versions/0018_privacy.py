"""Keep whether former names stay private, and since when an identity is erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("practitioners", sa.Column("shows_former_names", sa.Boolean(), nullable=True))
    op.add_column("practitioners", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("practitioners", "erased_at")
    op.drop_column("practitioners", "shows_former_names")
