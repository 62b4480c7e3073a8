"""Find people by name: words and pairs of words, distinct words, and their forms for typing errors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FOLDED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "searchable_people",
        sa.Column("practitioner_id", sa.String(length=36), nullable=False),
        sa.Column("words", FOLDED, nullable=False),
        sa.Column("former", FOLDED, nullable=False),
        sa.Column("marks", FOLDED, nullable=False),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioners.id"],
            name=op.f("fk_searchable_people_practitioner_id_practitioners"),
        ),
        sa.PrimaryKeyConstraint("practitioner_id", name=op.f("pk_searchable_people")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "name_postings",
        sa.Column("word", FOLDED, nullable=False),
        sa.Column("second", FOLDED, nullable=False),
        sa.Column("practitioner_id", sa.String(length=36), nullable=False),
        sa.Column("former", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("leads", sa.SmallInteger(), nullable=False),
        sa.Column("others", FOLDED, nullable=False),
        sa.PrimaryKeyConstraint("word", "second", "practitioner_id", "former", name=op.f("pk_name_postings")),
        sqlite_with_rowid=False,
    )
    op.create_table("name_words", sa.Column("word", FOLDED, nullable=False))
    op.create_index(op.f("ix_name_words_word"), "name_words", ["word"])
    op.create_table(
        "name_word_forms",
        sa.Column("form", FOLDED, nullable=False),
        sa.Column("word", FOLDED, nullable=False),
    )
    op.create_index(op.f("ix_name_word_forms_form_word"), "name_word_forms", ["form", "word"])


def downgrade() -> None:
    for table in ("name_word_forms", "name_words", "name_postings", "searchable_people"):
        op.drop_table(table)
