"""The picture of the years: every bar and mark can be read, and leads to its line in the table."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.http.console.timeline_picture import WIDTH, Bar, Lane, Mark, Picture, draw, range_of
from tests.support.drawings import names_of_attributes, read_svg

TODAY = date(2026, 3, 10)
DAYS = st.dates(date(1950, 1, 1), date(2100, 1, 1))
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=40)


@st.composite
def bars(draw):
    first = draw(DAYS)
    last = draw(st.none() | st.integers(0, 9000))
    id_ = f"span-{draw(st.uuids())}"
    end = None if last is None else first + timedelta(days=last)
    return Bar(id_, first, end, draw(WORDS), "in_force", draw(WORDS), draw(WORDS))


MARKS = st.builds(
    Mark,
    st.uuids().map(lambda id_: f"decision-{id_}"),
    DAYS,
    st.sampled_from(["granted", "suspended", "training"]),
    WORDS,
    WORDS,
    st.booleans(),
)
LANES = st.builds(Lane, WORDS, st.lists(bars(), max_size=4), st.lists(MARKS, max_size=6))
PICTURES = st.builds(
    lambda lanes, on: Picture("years", "Years of <b>&", "About", lanes, TODAY, "today", on, "asked", "hint"),
    st.lists(LANES, max_size=4),
    st.none() | DAYS,
)


@given(PICTURES)
@settings(max_examples=60, deadline=None)
def test_every_bar_and_mark_is_a_named_link_to_its_line(picture):
    svg = read_svg(str(draw(picture)))
    links = {link.get("href"): link.get("aria-label") for link in svg.iter("a")}
    expected = {
        f"#{each.id}": f"{each.title}. {each.detail}"
        for lane in picture.lanes
        for each in (*lane.bars, *lane.marks)
    }
    assert links == expected
    assert not names_of_attributes(svg) & {"style", "onclick"}


@given(PICTURES)
@settings(max_examples=60, deadline=None)
def test_all_days_lie_within_the_picture_and_today_is_marked(picture):
    first, last = range_of(picture)
    assert first <= TODAY <= last
    assert (first.month, first.day, last.month, last.day) == (1, 1, 12, 31)
    svg = read_svg(str(draw(picture)))
    marked = [each.get("class") for each in svg.iter("line") if "day--" in (each.get("class") or "")]
    assert marked == ["day day--today", "day day--on"][: 1 + (picture.on not in (None, TODAY))]
    for rect in svg.iter("rect"):
        left, width = float(rect.get("x", "")), float(rect.get("width", ""))
        assert 0 <= left <= WIDTH
        assert left + width <= WIDTH + 2


def test_marks_on_one_day_do_not_hide_each_other():
    marks = [Mark(f"m{place}", TODAY, "granted", "a", "b") for place in range(3)]
    svg = read_svg(str(draw(Picture("y", "t", "d", [Lane("l", (), marks)], TODAY, "today"))))
    assert len({polygon.get("points") for polygon in svg.iter("polygon")}) == 3
