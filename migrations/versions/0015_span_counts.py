"""Count from an index alone how many registrations and authorizations stand how, on which days."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_spans_begun", "spans", ["body_id", "subject_kind", "standing", "first_day"])
    op.create_index("ix_spans_ended", "spans", ["body_id", "subject_kind", "standing", "last_day"])


def downgrade() -> None:
    op.drop_index("ix_spans_ended", "spans")
    op.drop_index("ix_spans_begun", "spans")
