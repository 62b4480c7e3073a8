"""A person's years as a picture: what stood how from when to when, what was decided, what was learned.

Each span, decision and training is a link to its line in the table beneath: it is reached with the Tab key,
has a name for those who do not see it, and shows its words below the picture while the pointer or the focus
is on it. That needs no script, and no style in the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

WIDTH = 960
LEFT, RIGHT, TOP = 8, 12, 34
LANE, BAR, MARK_LEVEL = 84, 24, 15
READING = 56
LETTER = 7.6
"""Units of width that a letter of the picture takes, more or less."""
LONGEST_LINE = 118
FEWEST_YEARS, MOST_YEARS = 3, 80
YEAR_LABELS_APART = 52
MARKS_APART = 13


@dataclass(frozen=True, slots=True)
class Bar:
    """Days, inclusive, through which something stands so; ``last_day`` is ``None`` where no end is known.

    :param id: of its line in the table.
    :param word: what is written on it, where there is room.
    :param look: a class of the style sheet; what it says, the word says too.
    :param title: what it is; ``detail`` tells more of it.
    """

    id: str
    first_day: date
    last_day: date | None
    word: str
    look: str
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened on a day. ``look`` also chooses its shape; struck through where undone."""

    id: str
    day: date
    look: str
    title: str
    detail: str
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """What is told of one thing: its bars, and above them its marks."""

    name: str
    bars: Sequence[Bar] = ()
    marks: Sequence[Mark] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn.

    :param today: is marked.
    :param on: the day that is asked about, marked where it is another.
    """

    id: str
    title: str
    description: str
    lanes: Sequence[Lane]
    today: date
    today_word: str
    on: date | None = None
    on_word: str = ""
    hint: str = ""


def range_of(picture: Picture) -> tuple[date, date]:
    """The first and the last day that are drawn: whole years, with today and the day asked about in them."""
    known = [picture.today, *([] if picture.on is None else [picture.on])]
    for lane in picture.lanes:
        known += [mark.day for mark in lane.marks]
        known += [bar.first_day for bar in lane.bars]
        known += [bar.last_day for bar in lane.bars if bar.last_day is not None]
    first, last = min(known).year, max(known).year
    first = max(first, picture.today.year - MOST_YEARS)
    last = max(min(last, picture.today.year + MOST_YEARS), first + FEWEST_YEARS - 1)
    return date(first, 1, 1), date(last, 12, 31)


def draw(picture: Picture) -> Markup:
    """The picture as SVG."""
    days = _Days(*range_of(picture))
    levels = [_levels(lane.marks, days) for lane in picture.lanes]
    tops = [TOP]
    for level in levels:
        tops.append(tops[-1] + LANE + MARK_LEVEL * max(level, default=0))
    height = tops[-1] + READING
    named = f"{picture.id}-title {picture.id}-description"
    shape = {"viewBox": f"0 0 {WIDTH} {height}", "role": "group", "aria-labelledby": named}
    svg = Element("svg", {"class": "timeline", "id": picture.id, **shape})
    SubElement(svg, "title", {"id": f"{picture.id}-title"}).text = picture.title
    SubElement(svg, "desc", {"id": f"{picture.id}-description"}).text = picture.description
    _draw_years(svg, days, tops[-1])
    for lane, level, top in zip(picture.lanes, levels, tops, strict=False):
        _draw_lane(svg, lane, level, days, top, tops[-1])
    _draw_days(svg, picture, days, tops[-1])
    hint = {"class": "timeline__hint", "x": f"{LEFT}", "y": f"{tops[-1] + 24}", "aria-hidden": "true"}
    SubElement(svg, "text", hint).text = picture.hint
    return Markup(tostring(svg, encoding="unicode"))  # noqa: S704 - made by a serializer, which escapes


@dataclass(frozen=True, slots=True)
class _Days:
    first: date
    last: date

    def x(self, day: date) -> float:
        """Where a day begins; what lies outside is at the edge."""
        day = min(max(day, self.first), self.last + timedelta(days=1))
        whole = (self.last - self.first).days + 1
        return round(LEFT + (day - self.first).days * (WIDTH - LEFT - RIGHT) / whole, 2)

    @property
    def years(self) -> range:
        return range(self.first.year, self.last.year + 1)


def _levels(marks: Sequence[Mark], days: _Days) -> list[int]:
    """On which line above the bar each mark is, so that none hides another."""
    ends: list[float] = []
    found = []
    for mark in marks:
        x = days.x(mark.day)
        level = next((place for place, end in enumerate(ends) if x - end >= MARKS_APART), len(ends))
        if level == len(ends):
            ends.append(x)
        ends[level] = x
        found.append(level)
    return found


def _draw_years(svg: Element, days: _Days, bottom: int) -> None:
    group = SubElement(svg, "g", {"aria-hidden": "true"})
    room = (WIDTH - LEFT - RIGHT) / len(days.years)
    every = max(1, round(YEAR_LABELS_APART / room + 0.49))
    for year in days.years:
        x = days.x(date(year, 1, 1))
        line = {"class": "grid", "x1": f"{x:g}", "x2": f"{x:g}", "y1": "18", "y2": f"{bottom}"}
        SubElement(group, "line", line)
        if (year - days.first.year) % every == 0:
            SubElement(group, "text", {"class": "axis", "x": f"{x + 4:g}", "y": "14"}).text = str(year)


def _draw_lane(svg: Element, lane: Lane, levels: Sequence[int], days: _Days, top: int, bottom: int) -> None:
    group = SubElement(svg, "g", {"role": "group", "aria-label": lane.name})
    name = {"class": "timeline__name", "x": f"{LEFT}", "y": f"{top + 16}", "aria-hidden": "true"}
    SubElement(group, "text", name).text = lane.name
    bar_top = top + 42 + MARK_LEVEL * max(levels, default=0)
    for bar in lane.bars:
        _draw_bar(group, bar, days, bar_top, bottom)
    for mark, level in zip(lane.marks, levels, strict=True):
        _draw_mark(group, mark, days.x(mark.day), bar_top - 8 - MARK_LEVEL * level, bottom)


def _draw_bar(group: Element, bar: Bar, days: _Days, top: int, bottom: int) -> None:
    left = days.x(bar.first_day)
    right = days.x(days.last + timedelta(days=1) if bar.last_day is None else _after(bar.last_day))
    width = max(2.0, round(right - left, 2))
    link = _link(group, bar.id, bar.title, bar.detail)
    shape = {"x": f"{left:g}", "y": f"{top}", "width": f"{width:g}", "height": f"{BAR}", "rx": "3"}
    SubElement(link, "rect", {"class": f"span span--{bar.look}", **shape})
    if len(bar.word) * LETTER + 12 <= width:
        text = {"class": f"span__word span__word--{bar.look}", "x": f"{left + 7:g}", "y": f"{top + 17}"}
        SubElement(link, "text", {**text, "aria-hidden": "true"}).text = bar.word
    _draw_reading(link, bar.title, bar.detail, bottom)


def _after(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)


def _draw_mark(group: Element, mark: Mark, x: float, y: int, bottom: int) -> None:
    link = _link(group, mark.id, mark.title, mark.detail)
    look = f"decision decision--{mark.look}{' decision--undone' if mark.undone else ''}"
    if mark.look == "training":
        SubElement(link, "circle", {"class": look, "cx": f"{x:g}", "cy": f"{y}", "r": "5.5"})
    else:
        points = f"{x:g},{y - 6.5:g} {x + 6.5:g},{y} {x:g},{y + 6.5:g} {x - 6.5:g},{y}"
        SubElement(link, "polygon", {"class": look, "points": points})
    if mark.undone:
        ends = {"x1": f"{x - 7:g}", "x2": f"{x + 7:g}", "y1": f"{y + 7}", "y2": f"{y - 7}"}
        SubElement(link, "line", {"class": "decision__stroke", **ends})
    _draw_reading(link, mark.title, mark.detail, bottom)


def _link(group: Element, id_: str, title: str, detail: str) -> Element:
    return SubElement(group, "a", {"href": f"#{id_}", "aria-label": ". ".join(filter(None, (title, detail)))})


def _draw_reading(link: Element, title: str, detail: str, bottom: int) -> None:
    """The words that are shown below while the link is pointed at, or has the focus."""
    reading = SubElement(link, "g", {"class": "timeline__reading", "aria-hidden": "true"})
    for order, (look, words) in enumerate((("title", title), ("detail", detail))):
        place = {"x": f"{LEFT}", "y": f"{bottom + 22 + order * 22}"}
        SubElement(reading, "text", {"class": f"timeline__{look}", **place}).text = _shortened(words)


def _shortened(words: str) -> str:
    flat = " ".join(words.split())
    return flat if len(flat) <= LONGEST_LINE else f"{flat[: LONGEST_LINE - 1]}…"


def _draw_days(svg: Element, picture: Picture, days: _Days, bottom: int) -> None:
    group = SubElement(svg, "g", {"class": "timeline__days", "aria-hidden": "true"})
    for look, day, word in _marked(picture):
        x = days.x(day)
        line = {"class": f"day day--{look}", "x1": f"{x:g}", "x2": f"{x:g}", "y1": "18", "y2": f"{bottom}"}
        SubElement(group, "line", line)
        at_end = x + len(word) * LETTER + 8 > WIDTH
        shift, end = (-5, " axis--end") if at_end else (5, "")
        text = {"class": f"day__word day__word--{look}{end}", "x": f"{x + shift:g}", "y": f"{bottom - 2}"}
        SubElement(group, "text", text).text = word


def _marked(picture: Picture) -> Iterator[tuple[str, date, str]]:
    yield "today", picture.today, picture.today_word
    if picture.on is not None and picture.on != picture.today:
        yield "on", picture.on, picture.on_word
