"""The client asks a real register: nothing but a yes is a yes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import islice

import pytest

from needling_registry import (
    InvalidRequest,
    Mode,
    NotFound,
    Outcome,
    Question,
    Reason,
    Registry,
    Technique,
    batches,
)
from registry.domain import vocabulary
from tests.clients.conftest import BODY, FIRST, LAST, Served

TODAY = date(2026, 3, 1)


def test_a_yes_says_until_when_it_holds(registry: Registry) -> None:
    answer = registry.verify(BODY, "PT-1", Technique.DRY_NEEDLING, on=TODAY)
    assert answer.authorized is True
    assert (answer.body.code, answer.number, answer.on) == (BODY, "PT-1", TODAY)
    assert answer.valid_through == LAST
    assert answer.valid_until == datetime(2101, 1, 1, 7, tzinfo=UTC)  # midnight in Edmonton
    (verdict,) = answer.verdicts
    assert (verdict.outcome, verdict.technique) == (Outcome.AUTHORIZED, Technique.DRY_NEEDLING)


@pytest.mark.parametrize(
    ("number", "on", "outcome"),
    [
        ("PT-1", FIRST - timedelta(days=1), Outcome.REGISTRATION_NOT_IN_FORCE),
        ("PT-1", FIRST, Outcome.AUTHORIZED),
        ("PT-1", LAST, Outcome.AUTHORIZED),
        ("PT-1", LAST + timedelta(days=1), Outcome.REGISTRATION_NOT_IN_FORCE),
        ("PT-2", TODAY, Outcome.TECHNIQUE_NOT_COVERED),
        ("PT-3", TODAY, Outcome.NOT_FOUND),
    ],
)
def test_the_day_decides(registry: Registry, number: str, on: date, outcome: Outcome) -> None:
    answer = registry.verify(BODY, number, "dry_needling", on=on)
    assert answer.verdicts[0].outcome is outcome
    assert answer.authorized is (outcome is Outcome.AUTHORIZED)


def test_every_technique_has_to_be_authorized_where_none_is_named(registry: Registry) -> None:
    answer = registry.verify(BODY, "PT-1", on=TODAY)
    assert {verdict.technique: verdict.authorized for verdict in answer.verdicts} == {
        technique: technique is Technique.DRY_NEEDLING for technique in Technique
    }
    assert answer.authorized is False


def test_a_learner_is_authorized_only_where_supervision_was_asked_about(
    served: Served, registry: Registry
) -> None:
    served.authorize("PT-4", mode=vocabulary.Mode.SUPERVISED)
    alone = registry.verify(BODY, "PT-4", "dry_needling", on=TODAY)
    supervised = registry.verify(BODY, "PT-4", "dry_needling", on=TODAY, mode=Mode.SUPERVISED)
    assert [each.verdicts[0].outcome for each in (alone, supervised)] == [Outcome.SUPERVISED_ONLY] * 2
    assert (alone.authorized, supervised.authorized) == (False, True)


def test_it_is_told_what_the_register_knew_at_a_moment(served: Served, registry: Registry) -> None:
    before = datetime(2026, 1, 1, 13, 0, 0, 5, tzinfo=timezone(timedelta(hours=-7)))
    earlier = datetime(2026, 1, 1, 11, tzinfo=UTC)
    assert registry.verify(BODY, "PT-1", "dry_needling", on=TODAY, known_at=before).authorized
    unknown = registry.verify(BODY, "PT-1", "dry_needling", on=TODAY, known_at=earlier)
    assert (unknown.authorized, unknown.known_at) == (False, earlier)


def test_a_day_is_no_instant_and_an_instant_has_a_zone(registry: Registry) -> None:
    noon = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - a naive one is what this is about
    for day in (noon, noon.replace(tzinfo=UTC), "2026-03-01"):
        with pytest.raises(TypeError, match="local day"):
            registry.verify(BODY, "PT-1", on=day)  # type: ignore[arg-type]  # as somebody might
        with pytest.raises(TypeError, match="local day"):
            list(registry.verify_many([Question(body=BODY, number="PT-1", on=day)]))  # type: ignore[arg-type]  # as above
    with pytest.raises(ValueError, match="time zone"):
        registry.verify(BODY, "PT-1", known_at=noon)


def test_what_cannot_be_asked_is_an_error_that_says_why(registry: Registry) -> None:
    with pytest.raises(InvalidRequest, match="technique") as invalid:
        registry.verify(BODY, "PT-1", "reflexology")
    assert invalid.value.problem is not None
    assert invalid.value.problem.errors[0]["parameter"] == "technique"
    with pytest.raises(NotFound):
        registry.verify("no-such-body", "PT-1")
    for nobody in ("", ".", ".."):
        with pytest.raises(ValueError, match="names nobody"):
            registry.verify(BODY, nobody)


@pytest.mark.parametrize("number", ["A/1", "A 1", "a%2F1", "PT-1?on=2020-01-01", "#1", "Ł-1"])
def test_a_number_is_one_part_of_an_address_whatever_is_in_it(
    served: Served, registry: Registry, number: str
) -> None:
    served.authorize(number)
    answer = registry.verify(BODY, number, "dry_needling", on=TODAY)
    assert (answer.number, answer.authorized) == (number, True)


def test_a_number_may_be_typed_as_people_type(registry: Registry) -> None:
    assert registry.verify(BODY, " pt-1 ".strip(), "dry_needling", on=TODAY).authorized
    assert registry.verify(BODY, "Pt‑1", "dry_needling", on=TODAY).authorized  # noqa: RUF001 - typed as a hyphen


# --- Many at once ---


def test_many_are_answered_in_their_places(registry: Registry) -> None:
    questions = [
        Question(body=BODY, number="PT-1", technique="dry_needling", on=TODAY, ref="first"),
        Question(body=BODY, number="nobody", technique="dry_needling", on=TODAY),
        Question(body=BODY, number="PT-1", technique="no such", ref="wrong"),
        Question(body=BODY, number="PT-1", technique="dry_needling", on=TODAY, ref="first"),
        Question(body=BODY, number="PT-1", ref="x" * 201),
    ]
    answers = list(registry.verify_many(questions))
    assert [answer.index for answer in answers] == [0, 1, 2, 3, 4]
    assert [answer.authorized for answer in answers] == [True, False, False, True, False]
    assert [answer.ref for answer in answers] == ["first", None, "wrong", "first", None]
    assert answers[0].valid_through == LAST
    assert answers[1].verdicts[0].reasons == (Reason.NEVER_REGISTERED,)
    assert answers[2].error is not None
    assert answers[2].error.errors[0].pointer == "/technique"


def test_no_question_has_no_answer(registry: Registry) -> None:
    assert list(registry.verify_many([])) == []


def test_any_number_can_be_asked_and_is_asked_as_it_is_taken(
    served: Served, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_QUESTIONS", 100)
    given = 0

    def questions():
        nonlocal given
        while True:
            given += 1
            number = f"PT-{1 + given % 2}"
            yield Question(body=BODY, number=number, technique="dry_needling", on=TODAY, ref=str(given))

    answers = list(islice(registry.verify_many(questions()), 250))
    assert [answer.index for answer in answers] == list(range(250))
    assert [answer.ref for answer in answers] == [str(place) for place in range(1, 251)]
    assert [answer.authorized for answer in answers[:4]] == [False, True, False, True]
    assert given <= 301  # three requests' worth, and the one that showed that the third was full


def test_as_many_as_one_request_takes(registry: Registry) -> None:
    asked = [Question(body=BODY, number="PT-1", technique="dry_needling", on=TODAY)] * 10_001
    answers = list(registry.verify_many(asked))
    assert len(answers) == 10_001
    assert all(answer.authorized for answer in answers)
    assert answers[-1].index == 10_000


def test_long_questions_are_spread_over_more_requests(registry: Registry, monkeypatch) -> None:
    monkeypatch.setattr(batches, "MOST_BYTES", 1000)
    asked = [Question(body=BODY, number="PT-1", on=TODAY, ref="é" * 200) for _ in range(5)]
    assert [answer.index for answer in registry.verify_many(asked)] == [0, 1, 2, 3, 4]
