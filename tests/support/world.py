"""Something of each kind at one body, for tests that walk over every address."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime

from sqlalchemy import Connection, func, select, update

from registry.clock import new_id
from registry.services import merges
from registry.services.contacts import add_recipient
from registry.services.imports import preview_import, receive_import
from registry.services.principals import Role
from registry.services.rules_drafts import make_draft, weigh_draft
from registry.services.webhooks import NewWebhook, create_webhook
from registry.store import principals, tables
from registry.store.courses import find_course
from registry.store.imports import Received
from registry.store.notice_tables import digest_recipients
from registry.store.records import Body
from tests.support.factories import (
    make_authorization,
    make_course,
    make_key,
    make_person,
    make_registration,
    make_rules,
    make_training,
)
from tests.support.sheets import PROFILE, csv_file, people, person

NOW = datetime(2026, 3, 1, 18, tzinfo=UTC)
"""The day on which this world is meant to be looked at: some of it has lapsed by then."""

PAGES = {"language": "en", "name": "export", "slug": "gone"}


def make_world(tx: Connection, own: Body, number: str = "PT-1") -> dict[str, str]:
    """Its values for the variable parts of addresses, by their names."""
    person, duplicate, merged = make_person(tx), make_person(tx), make_person(tx)
    record = make_registration(tx, own, person, number=number, through=date(2026, 2, 20))
    record, authorization_id = make_authorization(tx, record, through=date(2026, 5, 31))
    for other in (duplicate, merged):
        make_registration(tx, own, other)
    course = find_course(tx, make_course(tx, own).id)
    assert course is not None
    training = make_training(tx, person, own)
    merge = merges.merge_people(tx, person, merged.id, reason="Twice.", by="operator:tests", at=NOW)
    return {
        "body": own.code,
        "code": own.code,
        "number": number,
        "practitioner_id": person.id,
        "practitioner": duplicate.id,
        "duplicate": duplicate.id,
        "registration_id": record.id,
        "authorization_id": authorization_id,
        "decision_id": record.decisions[0].decision.id,
        "course_id": course.id,
        "approval_id": course.approvals[0].id,
        "training_id": training.id,
        "merge_id": merge.id,
        "lapse_id": _lapse(tx, own),
        "import_id": _import(tx, own),
        "line": "3",
        "draft_id": _draft(tx, own),
        "key_id": _key(tx, make_key(tx, Role.AUDITOR, own)),
        "holder_id": _token_holder(tx),
        "notice": "term_ends",
        "language": "en",
        "token": _digest_token(tx, own),
        "recipient_id": add_recipient(tx, own, "desk@example.org", None, by="operator:tests", at=NOW).id,
        **_webhook(tx),
        **PAGES,
    }


def _digest_token(tx: Connection, own: Body) -> str:
    """Of somebody who gets the digest: as their identifier has it, so that it is the same in equal worlds."""
    d, ends = digest_recipients, add_recipient(tx, own, "end@example.org", None, by="operator:tests", at=NOW)
    token = ends.id.replace("-", "")
    tx.execute(update(d).where(d.c.id == ends.id).values(token=token))
    return token


def _webhook(tx: Connection) -> dict[str, str]:
    """Of an operator, of the one who was there first; with the newest event."""
    k, e = tables.api_keys, tables.events
    operator = select(k.c.id).where(k.c.role == Role.OPERATOR).order_by(k.c.id).limit(1)
    owner_id = tx.execute(operator).scalar_one_or_none() or _key(tx, make_key(tx))
    webhook, _ = create_webhook(tx, owner_id, NewWebhook("https://booking.example.org/hooks"), at=NOW)
    newest = select(e.c.id).order_by(e.c.seq.desc()).limit(1)
    return {"webhook_id": webhook.id, "event": tx.execute(newest).scalar_one()}


def _import(tx: Connection, own: Body) -> str:
    received = Received(own.id, "register.csv", "tests", PROFILE, NOW.date(), partial=False)
    rows = [*people(1), person("PT-9", Until="soon")]
    found = receive_import(tx, received, csv_file(rows), by="operator:tests", at=NOW)
    return preview_import(lambda: nullcontext(tx), found.id, by="operator:tests", at=NOW).id


def _draft(tx: Connection, own: Body) -> str:
    draft = make_draft(tx, own, make_rules(holds_from=date(2026, 4, 1)), None, by="operator:tests", at=NOW)
    return weigh_draft(lambda: nullcontext(tx), draft.id, at=NOW, progress=lambda *_: None).id


def _lapse(tx: Connection, own: Body) -> str:
    of_own = select(func.min(tables.lapses.c.id)).where(tables.lapses.c.body_id == own.id)
    return tx.execute(of_own).scalar_one()


def _token_holder(tx: Connection) -> str:
    id_ = new_id()
    principals.keep_holder(tx, id_, "https://id.example", "0f3c", NOW)
    return id_


def _key(tx: Connection, secret: str) -> str:
    has_prefix = tables.api_keys.c.prefix == secret.split("_")[1]
    return tx.execute(select(tables.api_keys.c.id).where(has_prefix)).scalar_one()
