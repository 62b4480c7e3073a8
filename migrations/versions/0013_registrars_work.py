"""Keep what registrars do with lapses and rejected rows, what takes long, and rules that are thought of.

Going down takes that away: assignments, notes, corrections, drafts. What was recorded by it stays.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.String(length=36)
INSTANT = sa.DateTime(timezone=True)
WITHOUT_ROWID = {"sqlite_with_rowid": False}
KINDS = ("preview_import", "apply_import", "reverse_import", "weigh_rules", "add_rules")


def _of(column: str, table: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    _lapses()
    _imports()
    _tasks()
    _rules()


def _lapses() -> None:
    op.add_column("lapses", sa.Column("noticed_at", INSTANT, nullable=True))
    op.add_column("lapses", sa.Column("assigned_to", sa.Text(), nullable=True))
    op.add_column("lapses", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    assigned = "resolved_at IS NULL AND assigned_to IS NOT NULL"
    _partial("ix_lapses_assigned", "lapses", ["assigned_to", "body_id", "since", "id"], assigned)
    noticed = "resolved_at IS NULL AND noticed_at IS NOT NULL"
    _partial("ix_lapses_noticed", "lapses", ["body_id", "noticed_at"], noticed)
    op.create_table(
        "lapse_notes",
        sa.Column("id", ID, nullable=False),
        sa.Column("lapse_id", ID, nullable=False),
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        _of("registration_id", "lapse_notes", "registrations"),
        _key("lapse_notes", "id"),
    )
    op.create_index("ix_lapse_notes_registration_id", "lapse_notes", ["registration_id"])
    op.create_index("ix_lapse_notes_lapse_id_id", "lapse_notes", ["lapse_id", "id"])


def _imports() -> None:
    op.create_table(
        "import_corrections",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("original", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.Column("corrected_at", INSTANT, nullable=False),
        sa.Column("corrected_by", sa.Text(), nullable=False),
        _of("import_id", "import_corrections", "imports"),
        _key("import_corrections", "import_id", "line"),
    )
    op.create_table(
        "import_differences",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        _of("import_id", "import_differences", "imports"),
        _key("import_differences", "import_id", "kind", "line"),
        **WITHOUT_ROWID,
    )


def _tasks() -> None:
    known = ", ".join(f"'{kind}'" for kind in KINDS)
    op.create_table(
        "tasks",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body_id", ID, nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.Column("subject_version", sa.Integer(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("lease", ID, nullable=True),
        sa.Column("leased_until", INSTANT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("doing", sa.Text(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("problems", sa.Text(), nullable=True),
        sa.CheckConstraint(f"kind IN ({known})", name=op.f("ck_tasks_kind_known")),
        _of("body_id", "tasks", "bodies"),
        _key("tasks", "id"),
    )
    op.create_index("ix_tasks_subject_id_id", "tasks", ["subject_id", "id"])
    _partial("ix_tasks_unfinished", "tasks", ["subject_id"], "finished_at IS NULL", unique=True)


def _rules() -> None:
    op.create_table(
        "rules_drafts",
        sa.Column("id", ID, nullable=False),
        sa.Column("body_id", ID, nullable=False),
        sa.Column("body_version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _of("body_id", "rules_drafts", "bodies"),
        _key("rules_drafts", "id"),
    )
    op.create_index("ix_rules_drafts_body_id_id", "rules_drafts", ["body_id", "id"])
    op.create_table(
        "rules_effects",
        sa.Column("draft_id", ID, nullable=False),
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        _of("draft_id", "rules_effects", "rules_drafts"),
        _of("registration_id", "rules_effects", "registrations"),
        _key("rules_effects", "draft_id", "registration_id"),
        **WITHOUT_ROWID,
    )
    op.create_index("ix_rules_effects_registration_id", "rules_effects", ["registration_id"])


def downgrade() -> None:
    for table in ("rules_effects", "rules_drafts", "tasks", "import_differences", "import_corrections"):
        op.drop_table(table)
    op.drop_table("lapse_notes")
    op.drop_index("ix_lapses_noticed", "lapses")
    op.drop_index("ix_lapses_assigned", "lapses")
    for column in ("version", "assigned_to", "noticed_at"):
        op.drop_column("lapses", column)
