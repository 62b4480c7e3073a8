"""The sentence of the answer, for everyone in the register, word by word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from registry.domain.vocabulary import Technique
from registry.http.web.asking import Reading
from registry.http.web.check import Checked, look_at
from registry.http.web.languages import LANGUAGES
from registry.http.web.phrases import Tone
from registry.http.web.speech import speech
from tests.support.people_in_every_state import BODY, NOW, NUMBERS, OTHER

Ask = Callable[..., Checked]
ENGLISH = speech(LANGUAGES["en"])


@pytest.fixture
def ask(app: Flask) -> Ask:
    def checked(number: str, body: str = BODY, at: datetime = NOW, **given: str) -> Checked:
        with app.app_context():
            return look_at(body, number, Reading(given), at)

    return checked


def _first(checked: Checked) -> str:
    spoken = checked.spoken[0]
    return " ".join(ENGLISH.text(said) for said in (spoken.first_word, spoken.sentence, *spoken.reasons))


COLLEGE = "Test College of Physiotherapists"
NOTHING_FOR = f"{COLLEGE} has given no authorization for: "
OTHERS = (
    "intramuscular stimulation (IMS), acupuncture, dry needling with electric current, needling guided by"
    " ultrasound and injection of the patient’s own blood."
)

TODAYS = {
    "YES-1": (
        "Yes. Today Zoë O’Brien-Łukasz is authorized to use needles on their own for: dry needling and"
        " intramuscular stimulation (IMS)."
    ),
    "OPEN-1": "Yes. Today Open Ended is authorized to use needles on their own for: dry needling.",
    "COND-1": (
        "Yes, with conditions. Today Connie Ditions is authorized to use needles on their own for:"
        " dry needling."
    ),
    "SUP-1": (
        "Only under supervision. Today Supriya Vised may use needles only while someone authorized"
        " supervises,"
        " for: dry needling. The authorization for dry needling allows needles only while someone authorized"
        " supervises."
    ),
    "MIX-1": "Yes. Today Mixed Answers is authorized to use needles on their own for: dry needling.",
    "HID-1": "Yes. Today the holder of number HID-1 is authorized to use needles on their own for:"
    " dry needling.",
    "LAPSED-1": (
        "No. Today Lapsed Authorization is not authorized to use needles. The authorization for"
        " dry needling ended"
        f" on 30 September 2026. {NOTHING_FOR}{OTHERS}"
    ),
    "SUSP-1": (
        "No. Today Suspended Authorization is not authorized to use needles. The authorization for"
        " dry needling"
        f" was suspended on 5 October 2026. {NOTHING_FOR}{OTHERS}"
    ),
    "REVOKED-1": (
        f"No. Today Revoked Authorization is not authorized to use needles. {COLLEGE} took the"
        " authorization for"
        f" dry needling away on 5 October 2026. {NOTHING_FOR}{OTHERS}"
    ),
    "GIVEN-1": (
        "No. Today Given Up is not authorized to use needles. The holder gave the authorization"
        " for dry needling"
        f" up on 5 October 2026. {NOTHING_FOR}{OTHERS}"
    ),
    "SOON-1": (
        "No. Today Soon Authorized is not authorized to use needles. The authorization for dry"
        " needling begins"
        f" only on 1 December 2026. {NOTHING_FOR}{OTHERS}"
    ),
    "UNREAD-1": (
        "We cannot tell. The register does not say whether Unread Authorization is authorized to"
        " use needles today"
        " for: dry needling. How the authorization for dry needling stands is not known."
    ),
    "RSUSP-1": (
        "No. Today Suspended Registration is not authorized to use needles. The registration was suspended on"
        f" 5 October 2026. {NOTHING_FOR}{OTHERS}"
    ),
    "RREVOKED-1": (
        f"No. Today Revoked Registration is not authorized to use needles. {COLLEGE} took the"
        " registration away on"
        f" 5 October 2026. {COLLEGE} has given no authorization for this."
    ),
    "RLAPSED-1": (
        "No. Today Lapsed Registration is not authorized to use needles. The registration ended on"
        " 30 September"
        " 2026. The authorization for dry needling ended on 30 September 2026."
        f" {NOTHING_FOR}{OTHERS}"
    ),
    "RUNREAD-1": (
        "We cannot tell. The register does not say whether Unread Registration is authorized to"
        " use needles today."
        f" How the registration stands is not known. {COLLEGE} has given no authorization for this."
    ),
    "RSOON-1": (
        "No. Today Soon Registered is not authorized to use needles. The registration begins only"
        " on 1 January"
        f" 2027. {COLLEGE} has given no authorization for this."
    ),
    "CLASS-1": (
        "No. Today Wrong Class is not authorized to use needles."
        f" The rules of {COLLEGE} do not allow needles in this class of registration: provisional."
        f" {COLLEGE} has given no authorization for this."
    ),
    "NONE-1": (
        f"No. Today Never Authorized is not authorized to use needles. {COLLEGE} has given no"
        " authorization for"
        " this."
    ),
}


@pytest.mark.parametrize("number", TODAYS)
def test_the_first_answer_says_what_holds_and_why(ask: Ask, number: str) -> None:
    assert _first(ask(number)) == TODAYS[number]


def test_who_learns_is_told_apart_from_who_is_authorized(ask: Ask) -> None:
    said = _first(ask("LEARN-1", technique="dry_needling"))
    assert said.startswith(
        "Only under supervision. Today Lea Ning may use needles only while someone authorized"
    )
    assert f"The rules of {COLLEGE} let them learn it" in said


def test_who_lost_an_authorization_is_not_first_told_to_be_a_learner(ask: Ask) -> None:
    tones = [spoken.tone for spoken in ask("LOST-1").spoken]
    assert tones == [Tone.NO, Tone.SUPERVISED]


def test_beside_a_no_nothing_speaks_for_it(ask: Ask) -> None:
    on_a_no = [ENGLISH.text(said) for said in ask("GRACE-1", OTHER).spoken[1].reasons]
    assert on_a_no == ["Board of Tests has given no authorization for this."]


def test_days_of_grace_are_a_yes_that_says_so(ask: Ask) -> None:
    assert _first(ask("GRACE-1", OTHER)) == (
        "Yes. Today Days of Grace is authorized to use needles on their own for: dry needling. The"
        " last day of the"
        " registration was 10 November 2026. It still holds, in the days of grace after it."
    )


def test_a_day_in_the_past_and_a_day_ahead_are_told_in_their_tense(ask: Ask) -> None:
    assert "On 30 September 2026, Lapsed Authorization was authorized" in _first(
        ask("LAPSED-1", on="2026-09-30")
    )
    assert "On 1 October 2026, Lapsed Authorization was not authorized" in _first(
        ask("LAPSED-1", on="2026-10-01")
    )
    ahead = _first(ask("MIX-1", on="2027-04-01", technique="dry_needling"))
    assert ahead == (
        "No. On 1 April 2027, as far as is known today, Mixed Answers will not be authorized to"
        " use needles for: dry"
        " needling. The authorization for dry needling ends on 31 March 2027, and no renewal is recorded."
    )


def test_the_day_is_that_of_the_body_at_its_midnight(ask: Ask) -> None:
    last_second = datetime(2026, 10, 1, 5, 59, 59, tzinfo=UTC)  # 23:59:59 in Edmonton
    assert ask("LAPSED-1", at=last_second).spoken[0].tone is Tone.YES
    assert ask("LAPSED-1", at=datetime(2026, 10, 1, 6, 0, 0, tzinfo=UTC)).spoken[0].tone is Tone.NO


def test_until_when_an_answer_holds_is_said_with_the_place_of_the_day(ask: Ask) -> None:
    [yes, no] = ask("YES-1").spoken
    assert yes.holds is not None
    assert ENGLISH.text(yes.holds) == (
        "As far as is known today, this answer holds until the end of 30 September 2027 (Edmonton time)."
    )
    assert no.holds is None  # its reasons will be others, but it stays a no


def test_a_no_that_becomes_a_yes_says_when(ask: Ask) -> None:
    assert ask("SOON-1", technique="dry_needling").spoken[0].valid_through == date(2026, 11, 30)


def test_techniques_with_different_answers_are_told_apart_the_best_first(ask: Ask) -> None:
    tones = [(spoken.tone, spoken.techniques[0]) for spoken in ask("MIX-1").spoken]
    assert tones[:2] == [(Tone.YES, Technique.DRY_NEEDLING), (Tone.SUPERVISED, Technique.ACUPUNCTURE)]
    assert tones[2][0] is Tone.NO
    assert sorted(t for spoken in ask("MIX-1").spoken for t in spoken.techniques) == sorted(Technique)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("on", ["2026-06-01", "", "2027-02-01"])
def test_every_answer_can_be_said_in_every_language(ask: Ask, code: str, number: str, on: str) -> None:
    voice = speech(LANGUAGES[code])
    for spoken in ask(number, on=on).spoken:
        holds = [] if spoken.holds is None else [spoken.holds]
        for said in (spoken.sentence, spoken.easy, spoken.easy_list, spoken.advice, *spoken.reasons, *holds):
            assert "%(" not in voice.text(said)
            assert "%(" not in voice.html(said)


def test_words_of_the_register_are_escaped_and_kept_apart(ask: Ask) -> None:
    html = str(speech(LANGUAGES["ar"]).html(ask("YES-1").spoken[0].sentence))
    assert "<bdi>Zoë O’Brien-Łukasz</bdi>" in html
