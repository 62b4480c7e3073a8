"""Give whoever owns something a row of its own, whether a key or a token opens the door; keys get scopes.

Each key is a principal under its own identifier, so what it owns stays what it was. Going down is refused by
the database while somebody who comes with a token owns something: there would be nobody to leave it to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.String(length=36)
INSTANT = sa.DateTime(timezone=True)
OWNED = ("rosters", "webhooks")
KEY_IS_PRINCIPAL = "fk_api_keys_id_principals"
NEW_OF_KEYS: dict[str, Any] = {
    "scopes": sa.Text(),
    "previous_hash": sa.Text(),
    "previous_until": INSTANT,
    "rotated_at": INSTANT,
    "rotated_by": sa.Text(),
}


def upgrade() -> None:
    op.create_table(
        "principals",
        sa.Column("id", ID, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("blocked_at", INSTANT, nullable=True),
        sa.Column("blocked_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(issuer IS NULL) = (subject IS NULL)", name=op.f("ck_principals_named_by_issuer_and_subject")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_principals")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_principals_issuer_subject")),
    )
    op.execute("INSERT INTO principals (id, created_at) SELECT id, created_at FROM api_keys")
    for name, kind in NEW_OF_KEYS.items():
        op.add_column("api_keys", sa.Column(name, kind, nullable=True))
    _make_keys_principals()
    for table in OWNED:
        _change_owner(table, "api_keys", "principals")


def downgrade() -> None:
    for table in OWNED:
        _change_owner(table, "principals", "api_keys")
    _make_keys_keys_alone()
    for name in NEW_OF_KEYS:
        op.drop_column("api_keys", name)
    op.drop_table("principals")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _make_keys_principals() -> None:
    if _is_sqlite():
        rule = f", CONSTRAINT {KEY_IS_PRINCIPAL} FOREIGN KEY(id) REFERENCES principals (id))"
        _redefine("api_keys", lambda sql: sql.rstrip().removesuffix(")").rstrip() + rule)
    else:
        op.create_foreign_key(op.f(KEY_IS_PRINCIPAL), "api_keys", "principals", ["id"], ["id"])


def _make_keys_keys_alone() -> None:
    if _is_sqlite():
        rule = f", CONSTRAINT {KEY_IS_PRINCIPAL} FOREIGN KEY(id) REFERENCES principals (id)"
        _redefine("api_keys", lambda sql: sql.replace(rule, ""))
    else:
        op.drop_constraint(op.f(KEY_IS_PRINCIPAL), "api_keys", type_="foreignkey")


def _change_owner(table: str, old: str, new: str) -> None:
    """Let the owners in a table be rows of another one than before."""
    before, after = f"fk_{table}_owner_id_{old}", f"fk_{table}_owner_id_{new}"
    if _is_sqlite():
        said = f"CONSTRAINT {before} FOREIGN KEY(owner_id) REFERENCES {old} (id)"
        says = f"CONSTRAINT {after} FOREIGN KEY(owner_id) REFERENCES {new} (id)"
        _redefine(table, lambda sql: sql.replace(said, says))
    else:
        op.drop_constraint(op.f(before), table, type_="foreignkey")
        op.create_foreign_key(op.f(after), table, new, ["owner_id"], ["id"])


def _redefine(table: str, change: Callable[[str], str]) -> None:
    """SQLite changes no constraint: the table is copied into one that is defined otherwise, and nothing else.

    By its own text, which a batch operation would not keep whole: reflection leaves CHECK constraints out.
    """
    bind = op.get_bind()
    found = "SELECT type, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL"
    kept = bind.exec_driver_sql(found, (table,)).all()
    (before,) = [sql for kind, sql in kept if kind == "table"]
    changed = change(before)
    if changed == before:
        raise RuntimeError(f"{table} is not defined as this migration expects: {before}")
    made = re.sub(f'^CREATE TABLE "?{table}"?', f"CREATE TABLE new_{table}", changed)
    copied = f"INSERT INTO new_{table} SELECT * FROM {table}"  # noqa: S608 - names of our own
    renamed = f"ALTER TABLE new_{table} RENAME TO {table}"
    rest = [sql for kind, sql in kept if kind != "table"]
    for statement in (made, copied, f"DROP TABLE {table}", renamed, *rest):
        bind.exec_driver_sql(statement)
