"""Find by index what the passing of time brings, and the lapses that are not resolved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UNRESOLVED = sa.text("resolved_at IS NULL")
RESOLVED = sa.text("resolved_at IS NOT NULL")
ACKNOWLEDGED = sa.text("resolved_at IS NULL AND acknowledged_at IS NOT NULL")
ENDING = sa.text("resolved_at IS NULL AND until IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_spans_body_id_first_day", table_name="spans")
    op.drop_index("ix_spans_body_id_term_through", table_name="spans")
    op.create_index("ix_spans_body_id_first_day_subject_id", "spans", ["body_id", "first_day", "subject_id"])
    op.create_index(
        "ix_spans_body_id_term_through_subject_id", "spans", ["body_id", "term_through", "subject_id"]
    )
    partial = (
        ("ix_lapses_unresolved", ["body_id", "since", "id"], UNRESOLVED),
        ("ix_lapses_resolved", ["body_id", "since", "id"], RESOLVED),
        ("ix_lapses_acknowledged", ["body_id", "since", "id"], ACKNOWLEDGED),
        ("ix_lapses_ending", ["body_id", "until"], ENDING),
    )
    for name, columns, where in partial:
        op.create_index(name, "lapses", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in ("ix_lapses_ending", "ix_lapses_acknowledged", "ix_lapses_resolved", "ix_lapses_unresolved"):
        op.drop_index(name, table_name="lapses")
    op.drop_index("ix_spans_body_id_term_through_subject_id", table_name="spans")
    op.drop_index("ix_spans_body_id_first_day_subject_id", table_name="spans")
    op.create_index("ix_spans_body_id_term_through", "spans", ["body_id", "term_through"])
    op.create_index("ix_spans_body_id_first_day", "spans", ["body_id", "first_day"])
