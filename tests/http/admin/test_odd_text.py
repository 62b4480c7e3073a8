"""Odd Unicode at every text field: kept and read back in form C, or refused by its name; never a failure."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http.admin.conftest import Staff, read

BODY = "/v1/admin/bodies/ca-own"
PEOPLE = "/v1/admin/practitioners"
numbers = itertools.count(1)

# Several to a text, so that each field takes few requests. Escapes keep apart what looks alike.
ODD = [
    "  O\u2019Brien Ng\u0101puhi \u0110or\u0111evi\u0107-\u0141uk e\u0301cole \ufb01 \u212b \u2126  ",
    "\u01c5 \u1e9e \u0130 \u0131",
    "田中 花子 محمد بن سلمان שָׁלוֹם \u202eright to left zero\u200bwidth\ufeff \u2028 \ufffe \ufdd0",
    "👩🏽\u200d\u2695\ufe0f \U0001d518\U0001d52b \U0010fffd a" + "\u0300" * 40,
    '\'; DROP TABLE decisions; -- =HYPERLINK("http://x") <script>alert(1)</script> %00 %s {0} ${x} \\u0000',
]
REFUSED = ["", " \u3000", "a\u0000b", "a\tb", "\x7f\u0085", "a\ud800b"]


def names(staff: Staff, **name: str) -> Any:
    return staff.post(PEOPLE, {"names": [{"kind": "published", "full_name": "Ana", **name}]})


def registered(staff: Staff, **said: Any) -> Any:
    person = staff.practitioner()["id"]
    said = {"practitioner": person, "number": f"PT-{next(numbers)}", "effective_on": "2025-01-01", **said}
    return staff.post(f"{BODY}/registrations", said)


def authorized(staff: Staff, **said: Any) -> Any:
    registration = read(registered(staff, register_class="general"))
    return staff.grant(registration["id"], **said)


def decided(staff: Staff, **said: Any) -> Any:
    registration = read(registered(staff))
    about = f"registrations/{registration['id']}"
    return staff.decide(about, kind="suspended", effective_on="2025-02-01", **said)


def reported(staff: Staff, word: str) -> Any:
    registration = read(registered(staff))
    status = {"word": word, "practice": "unknown"}
    about = f"registrations/{registration['id']}"
    return staff.decide(about, kind="status_reported", effective_on="2025-02-01", status=status)


def voided(staff: Staff, **said: Any) -> Any:
    decision = read(registered(staff))["decisions"][0]["id"]
    path = f"/v1/admin/decisions/{decision}"
    return staff.post(f"{path}/void", {"reason": "A mistake.", **said}, **staff.version_of(path))


def course(staff: Staff, **said: Any) -> Any:
    plain = {"title": "T", "provider": "P", "techniques": ["dry_needling"]}
    return staff.post(f"{BODY}/courses", {**plain, **said})


def trained(staff: Staff, **said: Any) -> Any:
    person = staff.practitioner()["id"]
    plain = {"body": "ca-own", "title": "T", "techniques": ["dry_needling"], "completed_on": "2025-05-05"}
    return staff.post(f"{PEOPLE}/{person}/trainings", {**plain, **said})


def withdrawn(staff: Staff, reason: str) -> Any:
    path = f"/v1/admin/trainings/{read(trained(staff))['id']}"
    return staff.post(f"{path}/withdraw", {"reason": reason}, **staff.version_of(path))


def ruled(staff: Staff, **said: Any) -> Any:
    rules = {"holds_from": "2025-01-01", "requirements": [{"technique": "dry_needling"}], **said}
    return staff.post(f"{BODY}/rules", rules, **staff.version_of(BODY))


def corrected(staff: Staff, **said: Any) -> Any:
    path = f"/v1/admin/registrations/{read(registered(staff))['id']}"
    return staff.patch(path, {"city": "Banff", **said}, **staff.version_of(path))


def renamed(staff: Staff, reason: str) -> Any:
    path = f"{PEOPLE}/{staff.practitioner()['id']}"
    return staff.patch(path, {"withheld": True, "reason": reason}, **staff.version_of(path))


def merged(staff: Staff, reason: str) -> Any:
    path, duplicate = f"{PEOPLE}/{staff.practitioner()['id']}", staff.practitioner()["id"]
    said = {"duplicate": duplicate, "reason": reason}
    return staff.post(f"{path}/merge", said, **staff.version_of(path))


Field = tuple[Callable[[Staff, str], Any], Callable[[Any], Any]]
LINE: dict[str, Field] = {
    "full name": (lambda s, t: names(s, full_name=t), lambda a: a["names"][0]["full_name"]),
    "given name": (lambda s, t: names(s, given=t), lambda a: a["names"][0]["given"]),
    "family name": (lambda s, t: names(s, family=t), lambda a: a["names"][0]["family"]),
    "city": (lambda s, t: registered(s, city=t), lambda a: a["city"]),
    "corrected city": (lambda s, t: corrected(s, city=t), lambda a: a["city"]),
    "register class": (
        lambda s, t: registered(s, register_class=t),
        lambda a: a["standing"]["scope"]["register_class"],
    ),
    "excluded region": (
        lambda s, t: authorized(s, excluded_regions=[t]),
        lambda a: a["decisions"][0]["scope"]["excluded_regions"][0],
    ),
    "status word": (reported, lambda a: a["decisions"][0]["status"]["word"]),
    "course title": (lambda s, t: course(s, title=t), lambda a: a["title"]),
    "course provider": (lambda s, t: course(s, provider=t), lambda a: a["provider"]),
    "training title": (lambda s, t: trained(s, title=t), lambda a: a["title"]),
    "training provider": (lambda s, t: trained(s, provider=t), lambda a: a["provider"]),
    "eligible class": (lambda s, t: ruled(s, eligible_classes=[t]), lambda a: a["eligible_classes"][0]),
}
LINES: dict[str, Field] = {
    "condition": (
        lambda s, t: registered(s, conditions=[{"text": t}]),
        lambda a: a["standing"]["scope"]["conditions"][0]["text"],
    ),
    "reason": (lambda s, t: decided(s, reason=t), lambda a: a["decisions"][0]["reason"]),
    "private note": (lambda s, t: decided(s, private_note=t), lambda a: a["decisions"][0]["private_note"]),
    "override reason": (
        lambda s, t: authorized(s, override_reason=t),
        lambda a: a["decisions"][0]["override_reason"],
    ),
    "reason of a voiding": (lambda s, t: voided(s, reason=t), lambda a: a["decisions"][0]["reason"]),
    "reason of rules": (lambda s, t: ruled(s, reason=t), lambda a: a["reason"]),
    "reason of a correction": (lambda s, t: corrected(s, reason=t), lambda a: a["amendments"][0]["reason"]),
    "reason of a withdrawal": (withdrawn, lambda a: a["withdrawn_because"]),
    "reason of withholding": (renamed, lambda a: a["amendments"][0]["reason"]),
    "reason of a merge": (merged, lambda a: a["reason"]),
}
FIELDS = {**LINE, **LINES}


def as_kept(text: str, *, lines: bool) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n") if lines else text)


def ask(staff: Staff, name: str, text: str) -> None:
    """The text is kept in form C at a field, or refused there; read back as it was answered."""
    send, read_back = FIELDS[name]
    answer = send(staff, text)
    assert answer.status_code in (200, 201, 422), answer.text
    if answer.status_code == 422:
        assert all(problem["pointer"] for problem in answer.get_json()["errors"])
        return
    assert read_back(read(answer)) == as_kept(text, lines=name in LINES)
    if "Location" in answer.headers and name not in ("reason of rules", "eligible class"):
        again = staff.get(answer.headers["Location"])
        assert again.status_code == 200


@pytest.mark.parametrize("name", FIELDS)
def test_odd_text_is_kept_at_every_field(registrar, name):
    for text in ODD:
        send, read_back = FIELDS[name]
        answer = send(registrar, text)
        assert answer.status_code in (200, 201), (text, answer.text)
        assert read_back(read(answer)) == as_kept(text, lines=name in LINES)


@pytest.mark.parametrize("name", FIELDS)
def test_text_that_cannot_be_kept_is_refused_at_every_field(registrar, name):
    for text in REFUSED:
        answer = FIELDS[name][0](registrar, text)
        assert answer.status_code == 422, (text, answer.text)
        assert all(problem["pointer"] for problem in answer.get_json()["errors"])


def test_lines_are_kept_where_there_may_be_several(registrar):
    for name in LINES:
        ask(registrar, name, "one\r\ntwo\n\nthree")
    for name in LINE:
        assert FIELDS[name][0](registrar, "one\ntwo").status_code == 422


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(FIELDS)), text=st.text(max_size=60))
def test_any_text_is_kept_or_refused(registrar, name, text):
    ask(registrar, name, text)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_any_text_can_be_searched_for(registrar, text):
    answer = registrar.get(PEOPLE, {"name": text.encode("utf-8", "surrogatepass")})
    assert answer.status_code in (200, 422)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.text(max_size=45))
def test_any_number_is_kept_or_refused(registrar, number):
    answer = registered(registrar, number=number)
    assert answer.status_code in (201, 409, 422)
    if answer.status_code == 201:
        assert read(answer)["number"] == unicodedata.normalize("NFC", number)
