"""Charts as SVG, drawn on the server from numbers; each with the table that says the same.

Nothing here knows what is counted. Colours are classes of the style sheet, so that they follow light and
dark; what tells two series apart is besides a pattern, and a name beside each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 16, 40
FEWEST_TICKS = 4
LEGEND_LINE = 22
LABELS_APART = 58
"""Units between two labels of the lower axis."""


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers under one name, one for each label of the chart.

    :param look: a class of the style sheet, and of the pattern; one of the chart's own for each series.
    """

    name: str
    look: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is to be drawn.

    :param id: of the element, unique in its page.
    :param labels: of the lower axis; ``heads`` are the same as the table has them, in full.
    :param marked: the place among the labels of what is marked, with ``marked_as`` beside it.
    """

    id: str
    title: str
    description: str
    labels: Sequence[str]
    heads: Sequence[str]
    head: str
    series: Sequence[Series]
    marked: int | None = None
    marked_as: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The same as a table: the head of each column, and the rows, the head of each first."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def table_of(chart: Chart) -> Table:
    """What a chart shows, number by number."""
    rows = [
        (head, *(f"{series.values[place]:,}" for series in chart.series))
        for place, head in enumerate(chart.heads)
    ]
    return Table(chart.title, (chart.head, *(series.name for series in chart.series)), rows)


def draw_lines(chart: Chart) -> Markup:
    """A line for each series, each named at its end."""
    svg, plot = _begun(chart)
    scale = _Scale.of(chart, max(_every(chart), default=0))
    _draw_axes(plot, chart, scale)
    for series in chart.series:
        points = " ".join(
            f"{scale.x(place):g},{scale.y(value):g}" for place, value in enumerate(series.values)
        )
        SubElement(plot, "polyline", {"class": f"line line--{series.look}", "points": points})
        for place in (0, len(series.values) - 1) if series.values else ():
            at = {"cx": f"{scale.x(place):g}", "cy": f"{scale.y(series.values[place]):g}", "r": "3.5"}
            SubElement(plot, "circle", {"class": f"dot dot--{series.look}", **at})
    _name_series(plot, chart, scale)
    return _markup(svg)


def draw_bars(chart: Chart) -> Markup:
    """For each label a bar of each series, side by side."""
    svg, plot = _begun(chart)
    scale = _Scale.of(chart, max(_every(chart), default=0))
    _draw_axes(plot, chart, scale)
    room = scale.step * 0.8 / max(1, len(chart.series))
    for order, series in enumerate(chart.series):
        for place, value in enumerate(series.values):
            if not value:
                continue
            left = scale.x(place) + room * (order - len(chart.series) / 2)
            size = {"width": f"{room * 0.9:.2f}", "height": f"{scale.y(0) - scale.y(value):.2f}"}
            bar = {
                "class": f"bar bar--{series.look}",
                "x": f"{left:.2f}",
                "y": f"{scale.y(value):.2f}",
                **size,
            }
            SubElement(
                SubElement(plot, "rect", bar), "title"
            ).text = f"{chart.heads[place]}: {value:,} {series.name}"
    _draw_legend(plot, chart)
    return _markup(svg)


def _every(chart: Chart) -> Iterator[int]:
    return (value for series in chart.series for value in series.values)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where in the picture a place among the labels, and a number, is."""

    step: float
    inset: float
    top: int

    @classmethod
    def of(cls, chart: Chart, most: int) -> _Scale:
        room = WIDTH - LEFT - RIGHT
        step = room / max(1, len(chart.labels))
        return cls(step, LEFT + step / 2, _rounded_up(most))

    def x(self, place: int) -> float:
        return round(self.inset + place * self.step, 2)

    def y(self, value: int) -> float:
        return round(HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM) / self.top, 2)

    @property
    def ticks(self) -> Iterator[int]:
        each = self.top // FEWEST_TICKS
        return iter(range(0, self.top + 1, each))


def _rounded_up(most: int) -> int:
    """The top of an axis: a round number, not below ``most``, that divides into four whole parts."""
    power = 1
    while True:
        for part in (1, 2, 3, 5, 10, 15, 20, 25, 50):
            if FEWEST_TICKS * part * power >= most:
                return FEWEST_TICKS * part * power
        power *= 10


def _begun(chart: Chart) -> tuple[Element, Element]:
    named = {"aria-labelledby": f"{chart.id}-title", "aria-describedby": f"{chart.id}-description"}
    shape = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "role": "img", "focusable": "false"}
    svg = Element("svg", {"class": "chart", "id": chart.id, **shape, **named})
    SubElement(svg, "title", {"id": f"{chart.id}-title"}).text = chart.title
    SubElement(svg, "desc", {"id": f"{chart.id}-description"}).text = chart.description
    _define_patterns(svg, chart)
    return svg, SubElement(svg, "g", {"aria-hidden": "true"})


def _define_patterns(svg: Element, chart: Chart) -> None:
    """Stripes, told apart without colour; the style sheet fills the bars of the second series with them."""
    defined = SubElement(svg, "defs")
    size = {"width": "6", "height": "6", "patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
    for series in chart.series[1:]:
        pattern = SubElement(defined, "pattern", {"id": f"stripes-{series.look}", **size})
        SubElement(pattern, "rect", {"class": "stripes__ground", "width": "6", "height": "6"})
        SubElement(pattern, "rect", {"class": f"bar--{series.look}", "width": "3", "height": "6"})


def _draw_axes(plot: Element, chart: Chart, scale: _Scale) -> None:
    for tick in scale.ticks:
        y = f"{scale.y(tick):g}"
        SubElement(
            plot, "line", {"class": "grid", "x1": f"{LEFT}", "x2": f"{WIDTH - RIGHT}", "y1": y, "y2": y}
        )
        _write(plot, f"{tick:,}", LEFT - 8, scale.y(tick) + 5, "axis axis--end")
    every = max(1, round(LABELS_APART / scale.step + 0.49))
    for place in range(0, len(chart.labels), every):
        _write(plot, chart.labels[place], scale.x(place), HEIGHT - BOTTOM + 22, "axis axis--middle")
    if chart.marked is not None:
        x = f"{scale.x(chart.marked):g}"
        ends = {"x1": x, "x2": x, "y1": f"{TOP}", "y2": f"{HEIGHT - BOTTOM}"}
        SubElement(plot, "line", {"class": "mark-line", **ends})
        _write(plot, chart.marked_as, scale.x(chart.marked), TOP - 4, "axis axis--middle axis--strong")


def _name_series(plot: Element, chart: Chart, scale: _Scale) -> None:
    """Names at the ends of the lines, moved apart where these are close together."""
    ends = sorted((scale.y(s.values[-1]), place) for place, s in enumerate(chart.series) if s.values)
    lowest = HEIGHT - BOTTOM - LEGEND_LINE * (len(ends) - 1)
    above = float(TOP)
    for y, place in ends:
        series = chart.series[place]
        above = max(above, min(y, lowest))
        lowest += LEGEND_LINE
        text = f"{series.name} {series.values[-1]:,}"
        x = WIDTH - RIGHT + 4
        line = {"x1": f"{x}", "x2": f"{x + 22}", "y1": f"{above:g}", "y2": f"{above:g}"}
        SubElement(plot, "line", {"class": f"line line--{series.look}", **line})
        _write(plot, text, x + 28, above + 5, "axis axis--start")
        above += LEGEND_LINE


def _draw_legend(plot: Element, chart: Chart) -> None:
    x = WIDTH - RIGHT + 12
    for place, series in enumerate(chart.series):
        y = TOP + 8 + place * LEGEND_LINE
        square = {"x": f"{x}", "y": f"{y - 11}", "width": "14", "height": "14"}
        SubElement(plot, "rect", {"class": f"bar bar--{series.look}", **square})
        _write(plot, series.name, x + 22, y + 1, "axis axis--start")


def _write(parent: Element, text: str, x: float, y: float, look: str) -> None:
    SubElement(parent, "text", {"class": look, "x": f"{x:g}", "y": f"{y:g}"}).text = text


def _markup(svg: Element) -> Markup:
    """ElementTree has escaped what is text."""
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704 - made by a serializer, which escapes
