"""Imports by hand, from a file to what it changed and back."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from registry.services import tasks
from registry.services.tasks import do_next
from registry.store import tables
from registry.store.database import reading, writing
from registry.store.imports import list_corrections, list_profiles
from registry.store.records import Body
from tests.support.console import Desk, sign_in, words_of

NOW = datetime(2026, 6, 1, 18, tzinfo=UTC)
IMPORTS = "/console/imports"
HEADER = "Reg. No;First name;Last name;Town;Class;Registered;Expires;Status"
ANA = "PT-1;Ana;Ito;Ottawa;general;14/06/2020;30/09/2026;Active"
BRAM = "PT-2;Bram;<img src=x onerror=alert(1)>;Kingston;general;01/02/2021;30/09/2026;Active"
MORE = [ANA.replace("PT-1", f"PT-{number}") for number in range(10, 20)]
WRONG = "PT-3;Chloé;Gunn;Ottawa;general;31/02/2021;30/09/2026;Active"


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def sent(desk: Desk, *rows: str, **more: str) -> str:
    """Send a file: where it led."""
    text = "\n".join((HEADER, *rows))
    answer = desk.post(IMPORTS, {"file": (io.BytesIO(text.encode()), "register.csv"), **more})
    assert answer.status_code == 303, words_of(answer)
    return answer.headers["Location"]


def mapped(desk: Desk, path: str, **other: str) -> str:
    """Take the mapping as the page proposes it, but for what is said here: where it led."""
    page = desk.get(path).text
    form = page[page.index('id="mapping"') : page.index("</form>", page.index('id="mapping"'))]
    data = dict(re.findall(r'<input (?:type="hidden" )?[^>]*name="([^"]+)" value="([^"]*)"', form))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        data[name] = chosen[1] if chosen else ""
    data = {name: value for name, value in data.items() if name != "csrf"}
    data.pop("family_first", None)
    data.pop("open_ended", None)
    data = {name: value for name, value in data.items() if not name.startswith("vouched")}
    answer = desk.post(path, {**data, **other})
    assert answer.status_code == 303, words_of(answer)
    return answer.headers["Location"]


def version(desk: Desk, path: str) -> str:
    (found, *_) = re.findall(r'name="version" value="(\d+)"', desk.get(path).text)
    return found


def done(desk: Desk, path: str, what: str) -> str:
    answer = desk.post(f"{path}/{what}", {"version": version(desk, path)})
    assert answer.status_code == 303, words_of(answer)
    return answer.headers["Location"]


def kept(app: Flask) -> int:
    with app.app_context(), reading() as connection:
        return connection.execute(select(func.count()).select_from(tables.registrations)).scalar_one()


def test_a_file_is_mapped_checked_applied_and_reversed(registrar: Desk, app: Flask, own: Body) -> None:
    assert "Nothing was sent yet." in registrar.told(IMPORTS)
    mapping = sent(registrar, ANA, BRAM)
    assert mapping.endswith("/mapping")
    page = registrar.told(mapping)
    assert "This is a guess" in page
    assert "Ana Ito" in page
    path = mapped(registrar, mapping, remember="yes", remember_as="ours")
    page = registrar.get(path).text
    assert "would be new" in page
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert kept(app) == 0
    done(registrar, path, "apply")
    assert kept(app) == 2
    assert "Reverse it" in registrar.told(path)
    with app.app_context(), reading() as connection:
        (profile,) = list_profiles(connection, own.id)
    assert profile.document["registration"]["status"]["words"] == {"Active": {"practice": "yes"}}
    done(registrar, path, "reverse")
    assert "reversed" in registrar.told(path)


def test_the_next_file_is_read_by_what_is_remembered_and_shows_what_was_and_would_be(
    registrar: Desk, app: Flask
) -> None:
    first = mapped(registrar, sent(registrar, ANA, BRAM), remember="yes", remember_as="ours")
    done(registrar, first, "apply")
    second = sent(registrar, ANA.replace("Ottawa", "Toronto").replace("2026", "2027"))
    assert not second.endswith("/mapping")
    told = registrar.told(f"{second}?part=changed")
    assert "Ottawa" in told
    assert "Toronto" in told
    assert "2026-09-30" in told
    assert "2027-09-30" in told
    assert "PT-2" in registrar.told(f"{second}?part=vanished")
    done(registrar, second, "apply")
    again = sent(registrar, ANA.replace("Ottawa", "Toronto").replace("2026", "2027"), partial="yes")
    assert "Nothing changes." in registrar.told(again)


def test_a_word_that_nobody_has_told_of_permits_nothing(registrar: Desk, app: Flask) -> None:
    path = mapped(registrar, sent(registrar, ANA.replace("Active", "Golden")))
    assert "standing unknown" in registrar.told(f"{path}?part=new")
    assert "unknown" in registrar.told(f"{path}/mapping")
    done(registrar, path, "apply")
    answer = registrar.client.get("/v1/bodies/ca-own/registrations/PT-1/verification?technique=dry_needling")
    assert answer.get_json()["registration"]["standing"] == "unknown"


def test_what_is_chosen_is_shown_before_it_is_kept(registrar: Desk) -> None:
    mapping = sent(registrar, ANA)
    data = {"number": "Reg. No", "given": "Last name", "family": "First name", "format": "DD/MM/YYYY"}
    shown = registrar.post(f"{mapping}/show", data)
    assert shown.status_code == 200
    assert "Ito Ana" in words_of(shown)
    assert "Ana Ito" in registrar.told(mapping)
    refused = registrar.post(mapping, {"family": "Last name", "version": "1"})
    assert refused.status_code == 422
    assert "which column holds the registration number" in words_of(refused)


def test_a_rejected_row_is_mended_in_place_checked_and_applied_with_the_others(
    registrar: Desk, app: Flask
) -> None:
    path = mapped(registrar, sent(registrar, ANA, WRONG, *MORE))
    told = registrar.told(f"{path}?part=rejected")
    assert "31/02/2021" in told
    assert "31/02/2021" in registrar.get(f"{path}/rejected.csv").text
    row = f"{path}/rows/3"
    cells = re.findall(r'name="(cell-\d+)" value="([^"]*)"', registrar.get(row).text)
    still_wrong = registrar.post(
        row, {**dict(cells), "cell-5": "30/02/2021", "version": version(registrar, row)}
    )
    assert still_wrong.status_code == 422
    assert "30/02/2021" in still_wrong.text
    mended = registrar.post(row, {**dict(cells), "cell-5": "28/02/2021", "version": version(registrar, row)})
    assert mended.status_code == 303
    assert "mended" in registrar.told(f"{path}?part=rejected")
    stale = registrar.post(row, {**dict(cells), "cell-5": "27/02/2021", "version": "1"})
    assert stale.status_code == 412
    done(registrar, path, "check")
    assert "Every row can be taken in." in registrar.told(f"{path}?part=rejected")
    done(registrar, path, "apply")
    assert kept(app) == 12
    with app.app_context(), reading() as connection:
        correction = list_corrections(connection, path.rsplit("/", 1)[1])[3]
    assert "31/02/2021" in correction.original
    assert correction.problems[0]["value"] == "31/02/2021"


def test_a_row_that_is_mended_after_the_import_was_applied_becomes_an_import_of_its_own(
    registrar: Desk, app: Flask
) -> None:
    path = mapped(registrar, sent(registrar, ANA, WRONG, *MORE))
    done(registrar, path, "apply")
    row = f"{path}/rows/3"
    cells = dict(re.findall(r'name="(cell-\d+)" value="([^"]*)"', registrar.get(row).text))
    registrar.post(row, {**cells, "cell-5": "28/02/2021", "version": version(registrar, row)})
    other = done(registrar, path, "corrected")
    assert other != path
    assert "a part of the register" in registrar.told(other)
    done(registrar, other, "apply")
    assert kept(app) == 12


def test_a_large_file_is_left_to_a_process_of_its_own_and_its_progress_is_shown(
    registrar: Desk, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.http.console.imports.DONE_AT_ONCE", 10)
    path = mapped(registrar, sent(registrar, ANA, BRAM))
    page = registrar.get(path).text
    assert "data-progress" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "waits for its turn" in page
    refused = registrar.post(f"{path}/check", {"version": "99"})
    assert refused.status_code == 412
    with app.app_context():
        assert do_next(reading, writing) is not None
    assert "would be new" in registrar.told(path)
    done(registrar, path, "apply")
    assert kept(app) == 0
    with time_machine.travel(NOW.replace(minute=1), tick=False):
        assert "registry work" in registrar.told(path)
    with app.app_context():
        assert do_next(reading, writing) is not None
        assert do_next(reading, writing) is None
    assert kept(app) == 2
    assert "data-progress" not in registrar.get(path).text
    assert tasks.HELD_FOR.total_seconds() > tasks.TOLD_EVERY


def test_others_neither_see_nor_send(registrar: Desk, auditor: Desk, app: Flask, other: Body) -> None:
    path = mapped(registrar, sent(registrar, ANA, WRONG, *MORE))
    stranger = sign_in(app, body=other.code, label="Stranger")
    for page in (path, f"{path}/mapping", f"{path}/rows/3"):
        assert stranger.get(page).status_code == 403
        assert auditor.get(page).status_code == 200
    assert "register.csv" not in stranger.told(IMPORTS)
    for desk in (stranger, auditor):
        for what in ("apply", "check", "reverse", "corrected"):
            assert desk.post(f"{path}/{what}", {"version": version(registrar, path)}).status_code == 403
        assert desk.post(f"{path}/rows/3", {"cell-0": "x", "version": "1"}).status_code == 403
    refused = auditor.post(IMPORTS, {"file": (io.BytesIO(b"a;b\n1;2"), "x.csv")})
    assert refused.status_code == 403


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"a,a,a\n1,2,3", b"only one column\nx"])
def test_a_file_that_is_no_table_is_refused_or_kept_without_harm(registrar: Desk, content: bytes) -> None:
    answer = registrar.post(IMPORTS, {"file": (io.BytesIO(content), "x.csv")})
    assert answer.status_code in (303, 422)
    assert registrar.post(IMPORTS, {}).status_code == 422
    assert registrar.get(IMPORTS).status_code == 200
