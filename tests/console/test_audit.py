"""The audit in the console: what it shows to whom, and that looking at it is told in it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import text

from registry.domain.audit_chain import Happening
from registry.services import audit
from registry.services.principals import Role
from registry.store.database import writing
from registry.store.records import Body
from tests.support.console import Desk, sign_in, words_of

PAGE = "/console/audit"
AT = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


def tell(app: Flask, action: str, body: Body | None = None, at: datetime = AT, **details: object) -> None:
    with app.app_context(), writing() as tx:
        of = None if body is None else body.id
        audit.tell(tx, Happening(at, "registrar:someone", action, "203.0.113.9", "r", of, details))


def test_an_auditor_sees_what_concerned_the_own_body(
    app: Flask, own: Body, other: Body, auditor: Desk
) -> None:
    tell(app, "decide_on_registration", own, made="/v1/here")
    tell(app, "merge_practitioners", other)
    page = auditor.told(PAGE)
    assert "decide on registration made /v1/here 203.0.113.9" in page
    assert "merge practitioners" not in page
    assert "Ada Auditor" in page


def test_an_operator_sees_all_of_them(app: Flask, own: Body, other: Body, operator: Desk) -> None:
    tell(app, "decide_on_registration", own)
    tell(app, "merge_practitioners", other)
    assert "merge practitioners" in operator.told(PAGE)
    assert "decide on registration" in operator.told(PAGE)


def test_a_registrar_is_not_who_watches_registrars(registrar: Desk) -> None:
    assert registrar.get(PAGE).status_code == 403
    assert "Audit" not in registrar.told("/console/sessions")


def test_looking_at_the_audit_is_told_in_it(auditor: Desk) -> None:
    auditor.get(PAGE)
    assert "Ada Auditor auditor only Ada Auditor audit –" in auditor.told(PAGE)
    auditor.get(f"{PAGE}/entries.ndjson")
    assert "export audit –" in auditor.told(PAGE)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"matter": "decisions"}, {"decide on registration"}),
        ({"matter": "imports"}, {"apply import"}),
        ({"action": "apply_import"}, {"apply import"}),
        ({"since": "2026-03-03", "until": "2026-03-03"}, {"apply import"}),
        ({"since": "2026-03-01", "until": "2026-03-01"}, {"decide on registration"}),
        ({"principal": "registrar:nobody"}, set()),
        (
            {"matter": "", "since": "", "principal": "registrar:someone"},
            {"decide on registration", "apply import"},
        ),
    ],
)
def test_the_audit_is_narrowed_by_days_of_the_body_and_by_what_was_done(
    app: Flask, own: Body, auditor: Desk, query: dict[str, str], found: set[str]
) -> None:
    tell(app, "decide_on_registration", own, at=datetime(2026, 3, 2, 6, 59, tzinfo=UTC))  # 1 March in Alberta
    tell(app, "apply_import", own, at=datetime(2026, 3, 3, 7, 0, tzinfo=UTC))
    page = auditor.get(PAGE, query_string=query).text
    told = set(re.findall('class="what"><a[^>]*>([^<]+)<', page))
    assert told & {"decide on registration", "apply import"} == found


def test_a_long_audit_has_pages(app: Flask, own: Body, auditor: Desk) -> None:
    for number in range(60):
        tell(app, "decide_on_registration", own, number=number)
    first = auditor.get(PAGE, query_string={"matter": "decisions"})
    assert "number 59" in words_of(first)
    assert "number 9 " not in words_of(first)
    address = first.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = words_of(auditor.get(address))
    assert "number 9 " in second
    assert "number 10 " not in second


def test_the_chain_is_checked_and_what_was_altered_is_found(app: Flask, own: Body, auditor: Desk) -> None:
    tell(app, "decide_on_registration", own)
    assert "The chain holds" in words_of(auditor.post(f"{PAGE}/verify"))
    with app.app_context(), writing() as tx:
        triggers = tx.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_entries'")
        )
        for (name,) in triggers.all():
            tx.execute(text(f"DROP TRIGGER {name}"))
        tx.execute(text("UPDATE audit_entries SET principal = 'registrar:else' WHERE seq = 1"))
    page = words_of(auditor.post(f"{PAGE}/verify"))
    assert "The chain does not hold" in page
    assert "Entry 1" in page


def test_the_file_has_what_the_page_is_narrowed_to(app: Flask, own: Body, other: Body, auditor: Desk) -> None:
    tell(app, "apply_import", own)
    tell(app, "apply_import", other)
    response = auditor.get(f"{PAGE}/entries.ndjson", query_string={"matter": "imports"})
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert [(line["action"], line["body_id"]) for line in lines] == [("apply_import", own.id)]
    assert response.headers["Content-Disposition"].startswith("attachment")


def test_every_sign_in_and_out_is_told(app: Flask, own: Body, auditor: Desk) -> None:
    desk = sign_in(app, role=Role.AUDITOR, body=own.code, label="Someone")
    desk.post("/console/sign-out")
    page = auditor.told(f"{PAGE}?matter=sign_ins")
    assert "signed in" in page
    assert "sign out session" not in page
    assert "only Someone sign out" in page
    assert "Someone auditor" in page
