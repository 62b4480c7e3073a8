"""The register: bodies, rules, people, registrations, authorizations, decisions, and what follows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bodies",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("jurisdiction", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("publishes_training", sa.Boolean(), nullable=False),
        sa.Column("publishes_former_names", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("swept_through", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodies")),
        sa.UniqueConstraint("code", name=op.f("uq_bodies_code")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("lease", sa.String(length=36), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("response", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_begun_at"), "idempotency_keys", ["begun_at"], unique=False)
    op.create_table(
        "practitioners",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Boolean(), nullable=False),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("merged_into", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["merged_into"], ["practitioners.id"], name=op.f("fk_practitioners_merged_into_practitioners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioners")),
    )
    op.create_index(op.f("ix_practitioners_merged_into"), "practitioners", ["merged_into"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("body_id", sa.String(length=36), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_api_keys_body_id_bodies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
    )
    op.create_table(
        "body_rules",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("body_id", sa.String(length=36), nullable=False),
        sa.Column("holds_from", sa.Date(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_body_rules_body_id_bodies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_body_rules")),
    )
    op.create_index(
        op.f("ix_body_rules_body_id_holds_from"), "body_rules", ["body_id", "holds_from"], unique=False
    )
    op.create_table(
        "courses",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("body_id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("techniques", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_courses_body_id_bodies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
    )
    op.create_index(op.f("ix_courses_body_id_id"), "courses", ["body_id", "id"], unique=False)
    op.create_table(
        "events",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body_id", sa.String(length=36), nullable=False),
        sa.Column("registration_id", sa.String(length=36), nullable=True),
        sa.Column("authorization_id", sa.String(length=36), nullable=True),
        sa.Column("decision_id", sa.String(length=36), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("announces", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_events_body_id_bodies")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("announces", name=op.f("uq_events_announces")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_registration_id_seq"), "events", ["registration_id", "seq"], unique=False)
    op.create_table(
        "merges",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kept_id", sa.String(length=36), nullable=False),
        sa.Column("merged_id", sa.String(length=36), nullable=False),
        sa.Column("moved", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("reversed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reversed_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["kept_id"], ["practitioners.id"], name=op.f("fk_merges_kept_id_practitioners")
        ),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["practitioners.id"], name=op.f("fk_merges_merged_id_practitioners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    op.create_index(op.f("ix_merges_kept_id"), "merges", ["kept_id"], unique=False)
    op.create_index(op.f("ix_merges_merged_id"), "merges", ["merged_id"], unique=False)
    op.create_table(
        "practitioner_names",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("practitioner_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("given", sa.Text(), nullable=True),
        sa.Column("family", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('published', 'legal', 'former')", name=op.f("ck_practitioner_names_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioners.id"],
            name=op.f("fk_practitioner_names_practitioner_id_practitioners"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioner_names")),
    )
    op.create_index(
        op.f("ix_practitioner_names_practitioner_id"), "practitioner_names", ["practitioner_id"], unique=False
    )
    op.create_table(
        "registrations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("practitioner_id", sa.String(length=36), nullable=False),
        sa.Column("body_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_registrations_body_id_bodies")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["practitioners.id"],
            name=op.f("fk_registrations_practitioner_id_practitioners"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("body_id", "number_key", name=op.f("uq_registrations_body_id_number_key")),
    )
    op.create_index(
        op.f("ix_registrations_practitioner_id"), "registrations", ["practitioner_id"], unique=False
    )
    op.create_table(
        "course_approvals",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("course_id", sa.String(length=36), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "last_day IS NULL OR last_day >= first_day", name=op.f("ck_course_approvals_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_course_approvals_course_id_courses")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_approvals")),
    )
    op.create_index(op.f("ix_course_approvals_course_id"), "course_approvals", ["course_id"], unique=False)
    op.create_table(
        "entries",
        sa.Column("body_id", sa.String(length=36), nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("registration_id", sa.String(length=36), nullable=False),
        sa.Column("practitioner_id", sa.String(length=36), nullable=False),
        sa.Column("city_key", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_entries_body_id_bodies")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioners.id"], name=op.f("fk_entries_practitioner_id_practitioners")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_entries_registration_id_registrations")
        ),
        sa.PrimaryKeyConstraint("body_id", "number_key", name=op.f("pk_entries")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_entries_registration_id")),
    )
    op.create_index(
        op.f("ix_entries_city_key_registration_id"), "entries", ["city_key", "registration_id"], unique=False
    )
    op.create_index(op.f("ix_entries_practitioner_id"), "entries", ["practitioner_id"], unique=False)
    op.create_table(
        "needling_authorizations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("registration_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registrations.id"],
            name=op.f("fk_needling_authorizations_registration_id_registrations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_needling_authorizations")),
    )
    op.create_index(
        op.f("ix_needling_authorizations_registration_id"),
        "needling_authorizations",
        ["registration_id"],
        unique=False,
    )
    op.create_table(
        "spans",
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("term_through", sa.Date(), nullable=True),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("registration_id", sa.String(length=36), nullable=False),
        sa.Column("body_id", sa.String(length=36), nullable=False),
        sa.CheckConstraint(
            "standing IN ('not_yet', 'in_force', 'in_grace', 'suspended', 'lapsed', 'revoked', 'surrendered', 'unknown')",
            name=op.f("ck_spans_standing_known"),
        ),
        sa.CheckConstraint(
            "subject_kind IN ('registration', 'authorization')", name=op.f("ck_spans_subject_kind_known")
        ),
        sa.CheckConstraint(
            "last_day IS NULL OR last_day >= first_day", name=op.f("ck_spans_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_spans_body_id_bodies")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_spans_registration_id_registrations")
        ),
        sa.PrimaryKeyConstraint("subject_id", "first_day", name=op.f("pk_spans")),
    )
    op.create_index(op.f("ix_spans_body_id_first_day"), "spans", ["body_id", "first_day"], unique=False)
    op.create_index(op.f("ix_spans_body_id_term_through"), "spans", ["body_id", "term_through"], unique=False)
    op.create_index(op.f("ix_spans_registration_id"), "spans", ["registration_id"], unique=False)
    op.create_table(
        "trainings",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("practitioner_id", sa.String(length=36), nullable=False),
        sa.Column("body_id", sa.String(length=36), nullable=False),
        sa.Column("course_id", sa.String(length=36), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("techniques", sa.Text(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=False),
        sa.Column("hours_theory", sa.Float(), nullable=False),
        sa.Column("hours_practical", sa.Float(), nullable=False),
        sa.Column("hours_in_person", sa.Float(), nullable=False),
        sa.Column("supervised_sessions", sa.Integer(), nullable=False),
        sa.Column("examination_passed", sa.Boolean(), nullable=False),
        sa.Column("safety_component", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "hours_theory >= 0 AND hours_practical >= 0 AND hours_in_person >= 0",
            name=op.f("ck_trainings_hours"),
        ),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_trainings_body_id_bodies")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_trainings_course_id_courses")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioners.id"], name=op.f("fk_trainings_practitioner_id_practitioners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainings")),
    )
    op.create_index(op.f("ix_trainings_practitioner_id"), "trainings", ["practitioner_id"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("registration_id", sa.String(length=36), nullable=False),
        sa.Column("authorization_id", sa.String(length=36), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("through", sa.Date(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("voids", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("private_note", sa.Text(), nullable=True),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("import_id", sa.String(length=36), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'voided') = (voids IS NOT NULL)", name=op.f("ck_decisions_voids_what_it_names")
        ),
        sa.CheckConstraint(
            "kind <> 'granted' OR scope IS NOT NULL", name=op.f("ck_decisions_grants_a_scope")
        ),
        sa.CheckConstraint(
            "kind IN ('granted', 'renewed', 'suspended', 'reinstated', 'revoked', 'surrendered', 'conditions_set', 'status_reported', 'voided')",
            name=op.f("ck_decisions_kind_known"),
        ),
        sa.CheckConstraint(
            "through IS NULL OR through >= effective_on", name=op.f("ck_decisions_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(
            ["authorization_id"],
            ["needling_authorizations.id"],
            name=op.f("fk_decisions_authorization_id_needling_authorizations"),
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_decisions_registration_id_registrations")
        ),
        sa.ForeignKeyConstraint(["voids"], ["decisions.id"], name=op.f("fk_decisions_voids_decisions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_import_id"), "decisions", ["import_id"], unique=False)
    op.create_index(
        op.f("ix_decisions_registration_id_recorded_at"),
        "decisions",
        ["registration_id", "recorded_at"],
        unique=False,
    )
    op.create_table(
        "lapses",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("body_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("detail_key", sa.Text(), nullable=False),
        sa.Column("registration_id", sa.String(length=36), nullable=False),
        sa.Column("authorization_id", sa.String(length=36), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.String(length=36), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(length=36), nullable=True),
        sa.CheckConstraint(
            "kind IN ('registration_lapsed', 'authorization_lapsed', 'authorization_outlasts_registration', 'registration_suspended', 'refresher_due', 'training_insufficient')",
            name=op.f("ck_lapses_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["authorization_id"],
            ["needling_authorizations.id"],
            name=op.f("fk_lapses_authorization_id_needling_authorizations"),
        ),
        sa.ForeignKeyConstraint(["body_id"], ["bodies.id"], name=op.f("fk_lapses_body_id_bodies")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_lapses_registration_id_registrations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lapses")),
        sa.UniqueConstraint(
            "kind",
            "subject_id",
            "since",
            "detail_key",
            name=op.f("uq_lapses_kind_subject_id_since_detail_key"),
        ),
    )
    op.create_index(
        op.f("ix_lapses_body_id_kind_since_id"), "lapses", ["body_id", "kind", "since", "id"], unique=False
    )
    op.create_index(op.f("ix_lapses_body_id_since_id"), "lapses", ["body_id", "since", "id"], unique=False)
    op.create_index(op.f("ix_lapses_registration_id"), "lapses", ["registration_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_lapses_registration_id"), table_name="lapses")
    op.drop_index(op.f("ix_lapses_body_id_since_id"), table_name="lapses")
    op.drop_index(op.f("ix_lapses_body_id_kind_since_id"), table_name="lapses")
    op.drop_table("lapses")
    op.drop_index(op.f("ix_decisions_registration_id_recorded_at"), table_name="decisions")
    op.drop_index(op.f("ix_decisions_import_id"), table_name="decisions")
    op.drop_table("decisions")
    op.drop_index(op.f("ix_trainings_practitioner_id"), table_name="trainings")
    op.drop_table("trainings")
    op.drop_index(op.f("ix_spans_registration_id"), table_name="spans")
    op.drop_index(op.f("ix_spans_body_id_term_through"), table_name="spans")
    op.drop_index(op.f("ix_spans_body_id_first_day"), table_name="spans")
    op.drop_table("spans")
    op.drop_index(op.f("ix_needling_authorizations_registration_id"), table_name="needling_authorizations")
    op.drop_table("needling_authorizations")
    op.drop_index(op.f("ix_entries_practitioner_id"), table_name="entries")
    op.drop_index(op.f("ix_entries_city_key_registration_id"), table_name="entries")
    op.drop_table("entries")
    op.drop_index(op.f("ix_course_approvals_course_id"), table_name="course_approvals")
    op.drop_table("course_approvals")
    op.drop_index(op.f("ix_registrations_practitioner_id"), table_name="registrations")
    op.drop_table("registrations")
    op.drop_index(op.f("ix_practitioner_names_practitioner_id"), table_name="practitioner_names")
    op.drop_table("practitioner_names")
    op.drop_index(op.f("ix_merges_merged_id"), table_name="merges")
    op.drop_index(op.f("ix_merges_kept_id"), table_name="merges")
    op.drop_table("merges")
    op.drop_index(op.f("ix_events_registration_id_seq"), table_name="events")
    op.drop_table("events")
    op.drop_index(op.f("ix_courses_body_id_id"), table_name="courses")
    op.drop_table("courses")
    op.drop_index(op.f("ix_body_rules_body_id_holds_from"), table_name="body_rules")
    op.drop_table("body_rules")
    op.drop_table("api_keys")
    op.drop_index(op.f("ix_practitioners_merged_into"), table_name="practitioners")
    op.drop_table("practitioners")
    op.drop_index(op.f("ix_idempotency_keys_begun_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("bodies")
