"""Keep imports: files as they came, what was found in them, and what reversing one needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.String(length=36)
INSTANT = sa.DateTime(timezone=True)


def _of(column: str, table: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", ID, nullable=False),
        sa.Column("body_id", ID, nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("profile_name", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("snapshot_day", sa.Date(), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("applied_at", INSTANT, nullable=True),
        sa.Column("applied_by", sa.Text(), nullable=True),
        sa.Column("reversed_at", INSTANT, nullable=True),
        sa.Column("reversed_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('received', 'previewed', 'applied', 'reversed', 'failed')",
            name=op.f("ck_imports_state_known"),
        ),
        _of("body_id", "imports", "bodies"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_body_id_id"), "imports", ["body_id", "id"])
    op.create_table(
        "import_parts",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        _of("import_id", "import_parts", "imports"),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_import_parts")),
    )
    op.create_table(
        "import_rows",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("other_line", sa.Integer(), nullable=True),
        _of("import_id", "import_rows", "imports"),
        sa.PrimaryKeyConstraint("import_id", "number_key", name=op.f("pk_import_rows")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_rejects",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        _of("import_id", "import_rejects", "imports"),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_import_rejects")),
    )
    op.create_table(
        "import_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("import_id", ID, nullable=False),
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        _of("import_id", "import_changes", "imports"),
        _of("registration_id", "import_changes", "registrations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_changes")),
    )
    op.create_index(op.f("ix_import_changes_import_id_id"), "import_changes", ["import_id", "id"])
    op.create_table(
        "import_marks",
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("registration_version", sa.Integer(), nullable=False),
        sa.Column("practitioner_version", sa.Integer(), nullable=False),
        sa.Column("compared_on", sa.Date(), nullable=False),
        sa.Column("doubt_from", sa.Date(), nullable=True),
        _of("registration_id", "import_marks", "registrations"),
        sa.PrimaryKeyConstraint("registration_id", name=op.f("pk_import_marks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_events",
        sa.Column("import_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("registration_id", ID, nullable=False),
        sa.Column("authorization_id", ID, nullable=True),
        sa.Column("decision_id", ID, nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        _of("import_id", "import_events", "imports"),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_import_events")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "import_profiles",
        sa.Column("body_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        _of("body_id", "import_profiles", "bodies"),
        sa.PrimaryKeyConstraint("body_id", "name", name=op.f("pk_import_profiles")),
    )


def downgrade() -> None:
    for name in (
        *("import_profiles", "import_events", "import_marks", "import_changes"),
        *("import_rejects", "import_rows", "import_parts", "imports"),
    ):
        op.drop_table(name)
