"""Keep webhooks, and events that only one key's holder may see.

Going down takes those events away with the webhooks that they tell of: the older schema has no place for them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.String(length=36)
INSTANT = sa.DateTime(timezone=True)
BIG = sa.BigInteger()
SEQUENCE = {"sqlite_autoincrement": True}


def _of(column: str, table: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"))


def _known(table: str, column: str, *words: str) -> sa.CheckConstraint:
    known = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({known})", name=op.f(f"ck_{table}_{column}_known"))


def upgrade() -> None:
    with op.batch_alter_table("events", table_kwargs=SEQUENCE) as events:
        events.add_column(sa.Column("audience", ID, nullable=True))
        events.alter_column("body_id", existing_type=ID, nullable=True)
    op.create_index("ix_roster_members_body_id_number_key", "roster_members", ["body_id", "number_key"])
    _webhooks()
    _webhook_secrets()
    _webhook_replays()
    _webhook_attempts()


def _webhooks() -> None:
    table = "webhooks"
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("types", sa.Text(), nullable=True),
        sa.Column("roster_id", ID, nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.Column("disabled_because", sa.Text(), nullable=True),
        sa.Column("after_seq", BIG, nullable=False),
        sa.Column("after_event", sa.Text(), nullable=False),
        sa.Column("trying", ID, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=True),
        sa.Column("attempted_at", INSTANT, nullable=False),
        sa.Column("slow", sa.Boolean(), nullable=False),
        sa.Column("lease", ID, nullable=True),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("leased_version", sa.Integer(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        _known(table, "state", "active", "disabled"),
        _known(table, "disabled_because", "by_owner", "gone", "exhausted", "key_not_in_force"),
        sa.CheckConstraint(
            "(state = 'disabled') = (disabled_because IS NOT NULL)",
            name=op.f("ck_webhooks_disabled_for_a_reason"),
        ),
        _of("owner_id", table, "api_keys"),
        _of("roster_id", table, "rosters"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index("ix_webhooks_owner_id_id", table, ["owner_id", "id"])
    op.create_index("ix_webhooks_roster_id", table, ["roster_id"])


def _webhook_secrets() -> None:
    table = "webhook_secrets"
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        _of("webhook_id", table, "webhooks"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index("ix_webhook_secrets_webhook_id_id", table, ["webhook_id", "id"])


def _webhook_replays() -> None:
    table = "webhook_replays"
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("event_id", ID, nullable=True),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=False),
        _of("webhook_id", table, "webhooks"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_replays")),
    )
    op.create_index("ix_webhook_replays_webhook_id_id", table, ["webhook_id", "id"])


def _webhook_attempts() -> None:
    table = "webhook_attempts"
    op.create_table(
        table,
        sa.Column("id", ID, nullable=False),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("next_attempt_at", INSTANT, nullable=True),
        _known(table, "cause", "event", "replay", "ping"),
        _known(table, "outcome", "delivered", "retried", "given_up"),
        _of("webhook_id", table, "webhooks"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempts")),
    )
    op.create_index("ix_webhook_attempts_webhook_id_id", table, ["webhook_id", "id"])


def downgrade() -> None:
    for table in ("webhook_attempts", "webhook_replays", "webhook_secrets", "webhooks"):
        op.drop_table(table)
    op.drop_index("ix_roster_members_body_id_number_key", table_name="roster_members")
    op.execute("DELETE FROM events WHERE audience IS NOT NULL")
    with op.batch_alter_table("events", table_kwargs=SEQUENCE) as events:
        events.drop_column("audience")
        events.alter_column("body_id", existing_type=ID, nullable=False)
