"""A file that is sent in may hold anything: what cannot be right costs its own row, and nothing fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from registry.sheets.writing import csv_text
from tests.http.conftest import Keys
from tests.support.attempts import Attempts, problem_in
from tests.support.bombs import WORKBOOKS
from tests.support.hostile import BROKEN, TEXTS
from tests.support.sheets import HEADER, PROFILE, person

IMPORTS = "/v1/admin/imports"
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
PROFILES = "/v1/admin/bodies/ca-own/profiles"
ODD_DAYS = ("0001-01-01", "1899-12-31", "9999-12-31", "2200-12-31", "2201-01-01", "0000-01-01", "10000-01-01")
LISTS = (
    *(
        "[",
        "{}",
        "null",
        "1",
        '"a"',
        "[1]",
        "[null]",
        "[[]]",
        "[{}]",
        '["\\ud800"]',
        '["\\u0000"]',
        '["a\\nb"]',
    ),
    *("[" * 1000, "[" * 990 + "]" * 990, '[{"text": 1}]', '[{"text": ""}]', '[{"text": "\\u0000"}]', "[NaN]"),
    *('[{"techniques": 1}]', '[{"techniques": ["dry_needling"], "conditions": [1]}]', "[1e400]"),
    *('[{"techniques": ["dry_needling"], "practice": "yes"}]', '[{"techniques": [[]]}]'),
    *('[{"techniques": ["dry_needling"], "conditions": [{"text": "\\ud800", "withheld": false}]}]',),
    *('[{"techniques": ["dry_needling"], "conditions": [{"text": "a", "withheld": "false"}]}]',),
    *('[{"techniques": ["dry_needling"], "excluded_regions": ["\\u0000"], "first_day": "20260101"}]',),
    *('[{"techniques": ["dry_needling"], "last_day": "9999-12-31", "first_day": "0001-01-01"}]',),
    *('[{"techniques": ["dry_needling"], "mode": [], "status": "\\udfff", "practice": "no"}]',),
)
EXPORTED = (
    *("number", "name", "given", "family", "former_names", "city", "languages", "withheld", "register_class"),
    *("first_day", "last_day", "status", "practice", "disciplinary", "standing", "standing_since"),
    *("conditions", "authorizations"),
)
"""The columns that an export writes, and the profile "export" reads."""

Send = Callable[..., TestResponse]


@pytest.fixture
def send(client: FlaskClient, keys: Keys, bearer) -> Send:
    """Sends in a file: ``send(content, name="a.csv", profile="export")``."""

    def sent(content: bytes, *, name: str = "register.csv", profile: str = "export") -> TestResponse:
        form = multipart({"body": "ca-own", "profile": profile}, content, name)
        return client.post(IMPORTS, data=form, headers=bearer(keys.registrar, **FORM))

    return sent


@pytest.fixture
def take_in(client: FlaskClient, keys: Keys, bearer, send: Send, attempts: Attempts) -> Callable[..., Any]:
    """Sends a file in, applies it, and looks at all that came of it: what was found."""

    def taken_in(content: bytes, **named: str) -> Any:
        headers = bearer(keys.registrar)
        received = attempts.of(send(content, **named), content[:500])
        assert received.status_code == 201, received.text
        at = received.headers["Location"]
        for way in ("dry-run", "apply"):
            response = attempts.of(client.post(f"{at}/{way}", headers=headers), content[:500])
            assert response.status_code == 200, response.text
        for part in ("", "/rejected?limit=200", "/rejected.csv", "/vanished"):
            assert attempts.of(client.get(f"{at}{part}", headers=headers), part).status_code == 200
        assert attempts.of(client.get("/?q=ana"), "search").status_code == 200
        exported = client.get("/v1/admin/exports/ca-own.ndjson", headers=headers)
        assert exported.status_code == 200, exported.text
        return client.get(at, headers=headers).get_json()

    return taken_in


@pytest.fixture
def profile(client: FlaskClient, keys: Keys, bearer) -> str:
    response = client.put(f"{PROFILES}/tests", json=PROFILE, headers=bearer(keys.registrar))
    assert response.status_code == 200, response.text
    return "tests"


def multipart(fields: dict[str, str], content: bytes, name: str) -> bytes:
    """A form as a program sends it that escapes nothing."""
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    parts.append(f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
    return "".join(parts).encode() + content + b"\r\n--b--\r\n"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    text = "".join(csv_text([list(header), *map(list, rows)]))
    return text.encode("utf-8", "replace")


def test_any_text_in_any_column_costs_its_own_row_at_most(take_in, profile: str) -> None:
    rows = [list(person("GOOD-1", "Abara").values())]
    for column in range(len(HEADER)):
        for number, text in enumerate((*TEXTS, *ODD_DAYS, *LISTS)):
            row = list(person(f"PT-{column}-{number}", "Abara").values())
            row[column] = text
            rows.append(row)
    found = take_in(table(HEADER, rows), profile=profile)
    assert found["report"]["rows"] >= len(rows) - len(TEXTS)
    assert found["report"]["new"] > len(HEADER)
    assert found["report"]["rejected"] > len(HEADER)


def test_days_at_the_ends_of_time_are_shown_like_any_other(
    take_in, client: FlaskClient, attempts: Attempts, profile: str
) -> None:
    rows = [
        list(person(f"PT-{column}-{number}", "Abara", **{column: day}).values())
        for column in ("From", "Until")
        for number, day in enumerate(ODD_DAYS)
    ]
    assert take_in(table(HEADER, rows), profile=profile)["report"]["new"] >= 5
    for number in (row[0] for row in rows):
        entry, page = f"/v1/bodies/ca-own/registrations/{number}", f"/check/ca-own/{number}"
        for path in (entry, f"{entry}/verification?technique=dry_needling", page, f"{page}/changes.atom"):
            for on in ("", "1900-01-01", "2200-12-31"):
                query = f"{'&' if '?' in path else '?'}on={on}" if on and "atom" not in path else ""
                attempts.of(client.get(f"{path}{query}"), (path, on))


def test_the_same_of_lines_of_json_with_what_no_csv_can_hold(take_in, profile: str) -> None:
    rows = [json.dumps(person("GOOD-1", "Abara"))]
    for column in HEADER:
        for number, text in enumerate((*TEXTS, *ODD_DAYS)):
            rows.append(json.dumps({**person(f"PT-{column}-{number}", "Abara"), column: text}))
            rows.append(json.dumps({**person(f"PU-{column}-{number}", "Abara"), "unread": text}))
    found = take_in("\n".join([*rows, ""]).encode(), profile=profile)
    assert found["report"]["new"] > len(HEADER)
    assert found["report"]["rejected"] > len(HEADER)


def test_lists_that_are_none_cost_their_own_row(take_in) -> None:
    good = dict.fromkeys(EXPORTED, "") | {
        "name": "Ana Ito",
        "first_day": "2026-01-01",
        "last_day": "2026-09-30",
        "status": "Active",
        "practice": "yes",
        "standing": "in_force",
    }
    rows = [{**good, "number": "GOOD-1"}]
    for column in ("former_names", "languages", "conditions", "authorizations"):
        for number, text in enumerate(LISTS):
            rows.append({**good, "number": f"PT-{column}-{number}", column: text})
    found = take_in(table(EXPORTED, [list(row.values()) for row in rows]))
    assert found["report"]["rejected"] > len(rows) / 2
    assert found["report"]["new"] >= 1


@pytest.mark.parametrize(
    "name",
    ["a\r\nSet-Cookie: x=y.csv", "../../etc/passwd", "\u202evsc.exe", "a" * 5000, "\x00", '"', "é;a=b"],
)
def test_the_name_of_a_file_is_only_shown(send: Send, keys: Keys, name: str) -> None:
    response = send(table(EXPORTED, []), name=name)
    if response.status_code == 201:
        shown = response.get_json()["filename"]
        assert len(shown) <= 200
        assert shown.isprintable()
    else:
        assert problem_in(response)["status"] in (400, 422)
    assert "Set-Cookie" not in response.headers


def test_what_is_no_table_is_refused(send: Send, attempts: Attempts) -> None:
    for content in BROKEN:
        response = attempts.of(send(content), content)
        assert response.status_code in (201, 422), response.text
        if response.status_code == 422:
            problem_in(response)


@pytest.mark.parametrize(
    "kind", ["two cells at opposite corners", "a hundred thousand parts", "an entity from a file"]
)
def test_a_workbook_that_is_a_bomb_is_refused(send: Send, attempts: Attempts, kind: str) -> None:
    attempts.refused(send(WORKBOOKS[kind](), name="register.xlsx"), kind, 422)
