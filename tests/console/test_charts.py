"""Charts are well-formed pictures, whatever they are made of, and their tables hold the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.http.console.charts import HEIGHT, WIDTH, Chart, Series, draw_bars, draw_lines, table_of
from tests.support.drawings import names_of_attributes, read_svg

NUMBERS = st.integers(0, 10**7)
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), max_size=30)


@st.composite
def charts(draw):
    count = draw(st.integers(0, 30))
    numbers = st.lists(NUMBERS, min_size=count, max_size=count)
    series = [Series(draw(NAMES), look, draw(numbers)) for look in ("first", "third")]
    labels = draw(st.lists(NAMES, min_size=count, max_size=count))
    marked = draw(st.none() | st.integers(0, count - 1)) if count else None
    return Chart("chart", draw(NAMES), draw(NAMES), labels, labels, draw(NAMES), series, marked, "today")


@given(charts())
@settings(max_examples=60, deadline=None)
def test_a_chart_is_well_formed_named_and_within_its_bounds(chart):
    for drawn in (draw_lines(chart), draw_bars(chart)):
        svg = read_svg(str(drawn))
        named = {each.get("id"): each.text or "" for each in svg.iter() if each.get("id")}
        assert named[svg.get("aria-labelledby")] == chart.title
        assert named[svg.get("aria-describedby")] == chart.description
        assert "style" not in names_of_attributes(svg)
        for bar in svg.iter("rect"):
            if bar.get("y") is not None:
                assert -1 <= float(bar.get("y", "0")) <= HEIGHT
        for line in svg.iter("polyline"):
            points = [tuple(map(float, point.split(","))) for point in (line.get("points") or "").split()]
            assert len(points) == len(chart.labels)
            assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)


@given(charts())
@settings(max_examples=60, deadline=None)
def test_the_table_holds_the_same_numbers_as_the_bars(chart):
    table = table_of(chart)
    assert [row[0] for row in table.rows] == list(chart.heads)
    read = [[int(cell.replace(",", "")) for cell in row[1:]] for row in table.rows]
    assert read == [list(values) for values in zip(*(s.values for s in chart.series), strict=True)]
    told = [bar.findtext("title") for bar in read_svg(str(draw_bars(chart))).iter("rect") if len(bar)]
    expected = [
        f"{chart.heads[place]}: {value:,} {series.name}"
        for series in chart.series
        for place, value in enumerate(series.values)
        if value
    ]
    assert told == expected


@pytest.mark.parametrize("values", [[0, 0], [3, 1], [50_000, 30_000]])
def test_a_larger_number_stands_higher_and_the_top_holds_all(values):
    chart = Chart("c", "t", "d", ["a", "b"], ["a", "b"], "h", [Series("s", "first", values)])
    svg = read_svg(str(draw_lines(chart)))
    line = next(svg.iter("polyline")).get("points", "").split()
    heights = [float(point.split(",")[1]) for point in line]
    assert (heights[0] < heights[1]) == (values[0] > values[1])
    assert min(heights) >= 16
