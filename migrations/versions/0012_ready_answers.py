"""Keep ready answers in fewer words, and, on SQLite, in an index of their own.

What was kept before is let go: it is filled in as registrations change, and by ``registry check --repair`` at
once. Until then the entries answer, more slowly.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INDEX = "ix_entries_body_id_number_key_answers"


def upgrade() -> None:
    _forget_answers()
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(INDEX, "entries", ["body_id", "number_key", "answers"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index(INDEX, "entries")
    _forget_answers()


def _forget_answers() -> None:
    """Quickly, however many there are: no row is rewritten where the engine can do without."""
    op.drop_column("entries", "answers")
    op.add_column("entries", sa.Column("answers", sa.Text(), nullable=True))
