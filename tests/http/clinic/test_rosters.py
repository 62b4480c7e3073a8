"""Rosters: a clinic's own, as a set, in JSON and in CSV; and how everyone on one stands."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine

from registry.domain.vocabulary import DecisionKind
from tests.support.factories import decide, make_authorization, make_registration

STAFF = "/v1/rosters/staff"
CSV = "text/csv; charset=utf-8"
NOON = datetime(2026, 3, 1, 19, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False):
        yield


def members(*numbers):
    return {"members": [{"body": "ca-xx", "number": number} for number in numbers]}


@pytest.fixture
def suspended(transaction, body):
    """PT-2 is suspended through February."""
    with transaction() as tx:
        record, _ = make_authorization(tx, make_registration(tx, body, number="PT-2"))
        decide(tx, record, DecisionKind.SUSPENDED, date(2026, 2, 1), through=date(2026, 2, 28))


def test_a_roster_is_kept_as_a_set_and_shown_in_order(clinic, body):
    created = clinic.put(STAFF, members("pt-2", "PT-10", "PT-2", "P T-10"))
    assert created.status_code == 201
    assert created.headers["Location"] == STAFF
    assert created.get_json()["size"] == 2
    shown = clinic.get(STAFF)
    assert [member["number"] for member in shown.get_json()["members"]] == ["P T-10", "PT-2"]
    assert shown.headers["ETag"] == created.headers["ETag"]
    assert clinic.get(STAFF, If_None_Match=shown.headers["ETag"]).status_code == 304


def test_a_roster_is_replaced_only_by_who_saw_it(clinic, body):
    etag = clinic.put(STAFF, members("PT-1")).headers["ETag"]
    assert clinic.put(STAFF, members("PT-2")).status_code == 428
    replaced = clinic.put(STAFF, members("PT-2"), headers={"If-Match": etag})
    assert replaced.status_code == 200
    assert [m["number"] for m in replaced.get_json()["members"]] == ["PT-2"]
    assert clinic.put(STAFF, members("PT-3"), headers={"If-Match": etag}).status_code == 412
    assert clinic.put("/v1/rosters/none", members(), headers={"If-Match": etag}).status_code == 412


def test_a_roster_is_deleted_only_by_who_saw_it(clinic, body):
    etag = clinic.put(STAFF, members("PT-1")).headers["ETag"]
    headers = clinic.headers({})
    assert clinic.client.delete(STAFF, headers=headers).status_code == 428
    deleted = clinic.client.delete(STAFF, headers={**headers, "If-Match": etag})
    assert deleted.status_code == 204
    assert clinic.get(STAFF).status_code == 404


def test_nobody_sees_the_roster_of_another(clinic, other_clinic, body):
    clinic.put(STAFF, members("PT-1"))
    assert other_clinic.get(STAFF).status_code == 404
    assert other_clinic.get(f"{STAFF}/standing").status_code == 404
    assert other_clinic.get("/v1/changes?roster=staff").status_code == 404
    assert other_clinic.get("/v1/rosters").get_json()["items"] == []
    assert other_clinic.put(STAFF, members("PT-9")).status_code == 201
    assert clinic.get(STAFF).get_json()["members"] == members("PT-1")["members"]


def test_rosters_are_listed_by_name_a_page_at_a_time(clinic, body):
    for name in ("b", "a", "c"):
        clinic.put(f"/v1/rosters/{name}", members("PT-1"))
    first = clinic.get("/v1/rosters?limit=2").get_json()
    rest = clinic.get(f"/v1/rosters?limit=2&cursor={first['next']}").get_json()
    assert [roster["name"] for roster in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next"] is None


def test_what_is_no_member_is_refused_at_its_place(clinic, body):
    wrong = {"members": [{"body": "ca-xx", "number": "PT-1"}, {"body": "zz", "number": "1"}]}
    refused = clinic.put(STAFF, wrong)
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["pointer"] == "/members/1/body"
    assert clinic.put(STAFF, {"members": [{"body": "ca-xx"}]}).status_code == 422
    assert clinic.put("/v1/rosters/-bad-", members()).status_code == 404
    assert clinic.get(STAFF).status_code == 404


def test_a_roster_goes_out_and_in_as_csv(clinic, body):
    clinic.put(STAFF, members("PT-1", "=2"))
    table = clinic.get(STAFF, Accept="text/csv")
    assert table.content_type == CSV
    assert table.text == "body,number\r\nca-xx,'=2\r\nca-xx,PT-1\r\n"
    taken = clinic.put("/v1/rosters/copy", data=table.data, content_type="text/csv")
    assert taken.status_code == 201
    assert taken.get_json()["members"] == clinic.get(STAFF).get_json()["members"]


@pytest.mark.parametrize(
    ("table", "status"),
    [
        (b"\xef\xbb\xbfNumber, Body\n PT-1 ,ca-xx\n\n", 201),
        (b"body,number\n", 201),
        (b"body,number\nca-xx\n", 422),
        (b"body,number,name\nca-xx,1,Ana\n", 422),
        (b"", 422),
        (b"body,number\nca-xx,\xff\n", 400),
        (b'body,number\n"ca-xx,1\n', 400),
    ],
)
def test_a_table_is_read_strictly(clinic, body, table, status):
    assert clinic.put(STAFF, data=table, content_type="text/csv").status_code == status


def test_how_everyone_stands_on_a_day(clinic, authorized, suspended):
    clinic.put(STAFF, members("PT-1", "PT-2", "PT-404"))
    standing = clinic.get(f"{STAFF}/standing?technique=dry_needling&on=2026-02-10").get_json()
    answers = {answer["number"]: answer for answer in standing["answers"]}
    assert {number: answer["authorized"] for number, answer in answers.items()} == {
        "PT-1": True,
        "PT-2": False,
        "PT-404": False,
    }
    assert answers["PT-2"]["verdicts"][0]["valid_through"] == "2026-02-28"
    today = clinic.get(f"{STAFF}/standing?technique=dry_needling").get_json()
    assert [answer["authorized"] for answer in today["answers"]] == [True, True, False]
    table = clinic.get(f"{STAFF}/standing?technique=dry_needling&on=2026-02-10", Accept="text/csv").text
    rows = [line.split(",") for line in table.splitlines()]
    assert [row[1] for row in rows[1:]] == ["PT-1", "PT-2", "PT-404"]
    assert [row[6] for row in rows] == ["authorized", "yes", "no", "no"]


def test_on_which_days_each_was_not_authorized(clinic, authorized, suspended):
    clinic.put(STAFF, members("PT-1", "PT-2", "PT-404"))
    query = "technique=dry_needling&from=2026-01-15&to=2026-03-15"
    found = clinic.get(f"{STAFF}/standing?{query}").get_json()["days_without"]
    assert [(one["number"], one["days"]) for one in found] == [("PT-1", 0), ("PT-2", 28), ("PT-404", 60)]
    (run,) = found[1]["runs"]
    assert (run["from"], run["to"], run["ongoing"]) == ("2026-02-01", "2026-02-28", False)
    assert run["reasons"] == ["registration_suspended"]
    table = clinic.get(f"{STAFF}/standing?{query}", Accept="text/csv").text.splitlines()
    assert [line.split(",")[1] for line in table[1:]] == ["PT-2", "PT-404"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("from=2026-01-01", "to"),
        ("from=2026-01-01&to=2026-02-01", "technique"),
        ("from=2026-02-01&to=2026-01-01&technique=dry_needling", "to"),
        ("from=2000-01-01&to=2026-01-01&technique=dry_needling", "to"),
        ("from=2026-01-01&to=2026-02-01&technique=dry_needling&on=2026-01-01", "on"),
        ("technique=cupping", "technique"),
    ],
)
def test_an_impossible_range_is_refused(clinic, body, query, parameter):
    clinic.put(STAFF, members("PT-1"))
    refused = clinic.get(f"{STAFF}/standing?{query}")
    assert refused.status_code == 422
    assert parameter in [error["parameter"] for error in refused.get_json()["errors"]]
