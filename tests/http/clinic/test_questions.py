"""Questions are read by a quick way where they are plain, and by the schema where not: the two agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.vocabulary import Mode, Technique
from registry.errors import Invalid
from registry.http.clinic.questions import QUESTION, read_plain, read_question
from registry.http.requests import load
from registry.services.batches import Asked, Refused

ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=5),
    st.lists(st.text(max_size=2), max_size=2),
    st.dictionaries(st.text(max_size=2), st.none(), max_size=1),
    st.sampled_from(
        ["", " ", "x" * 201, "x" * 41, "a\u0000", "\ud800", "e\u0301", "\u2028", "CA-XX", "-", "a\n"]
    ),
)
RIGHT: dict[str, st.SearchStrategy[Any]] = {
    "body": st.from_regex("[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True),
    "number": st.from_regex("[A-Za-z0-9]([A-Za-z0-9 ./_-]{0,38}[A-Za-z0-9])?", fullmatch=True),
    "technique": st.sampled_from([technique.value for technique in Technique]),
    "on": st.dates().map(str),
    "mode": st.sampled_from([mode.value for mode in Mode]),
    "ref": st.text(max_size=20),
}
GIVEN = {name: right | ODD for name, right in RIGHT.items()}


@st.composite
def members(draw: st.DrawFn) -> Any:
    """What may stand for a question: mostly one that is right, or nearly."""
    if draw(st.integers(0, 19)) == 0:
        return draw(ODD)
    source = draw(st.sampled_from([RIGHT, RIGHT, GIVEN]))
    left_out = draw(st.sets(st.sampled_from(list(RIGHT)), max_size=4))
    found = {name: draw(values) for name, values in source.items() if name not in left_out}
    if draw(st.integers(0, 9)) == 0:
        found[draw(st.text(max_size=3))] = draw(ODD)
    return found


@settings(max_examples=1500, deadline=None)
@given(members())
def test_a_question_that_is_read_quickly_is_read_as_the_schema_reads_it(value: Any) -> None:
    quickly = read_plain(value)
    if quickly is not None:
        assert quickly == Asked(**load(QUESTION, value, "json"))


@settings(max_examples=500, deadline=None)
@given(members())
def test_a_question_is_read_or_refused_as_the_schema_does(value: Any) -> None:
    read = read_question(value)
    if isinstance(read, Refused):
        with pytest.raises(Invalid) as refusal:
            load(QUESTION, value, "json")
        assert str(read.error) == str(refusal.value)
    else:
        assert read == Asked(**load(QUESTION, value, "json"))


@pytest.mark.parametrize(
    "left_out", [(), ("technique",), ("on",), ("mode",), ("ref",), ("technique", "on", "mode")]
)
def test_what_is_commonly_asked_is_read_quickly(left_out: tuple[str, ...]) -> None:
    question = {
        "body": "ca-xx",
        "number": "PT-1",
        "technique": "dry_needling",
        "on": "2026-03-01",
        "mode": "supervised",
        "ref": "booking-1",
    }
    assert read_plain({name: value for name, value in question.items() if name not in left_out}) is not None
