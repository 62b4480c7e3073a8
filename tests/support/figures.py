"""Figures that tests find, printed together at the end of the run. A plugin of pytest.

A test asks for the fixture and names what it counted or measured:

    def test_no_body_breaks_the_service(figures):
        ...
        figures.add("inputs tried", len(tried))
        figures.add("5xx seen", failures)
        figures.add("recovery after a restart of PostgreSQL", 3.2, "s")

Figures of one name and unit are put together, whichever tests, engines and worker processes they come from:
whole numbers are counts and are added up, others are measurements and show the lowest and the highest.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

PROPERTY = "figure"
Figure = tuple[str, int | float, str]
"""Its name, its value and its unit, which is empty for a plain count."""


@dataclass(frozen=True)
class Figures:
    """What one test found."""

    found: list[tuple[str, object]] = field(repr=False)

    def add(self, name: str, value: float, unit: str = "") -> None:
        """Print this figure at the end of the run.

        An int is a count, a float a measurement. Add it before asserting anything about it, for it is told
        whether or not the test passes.
        """
        if isinstance(value, bool) or not math.isfinite(value):
            raise ValueError(f"{name!r} is no number: {value!r}")
        self.found.append((PROPERTY, [name, value, unit]))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Prints named numbers at the end of the run: ``figures.add("5xx seen", 0)``."""
    return Figures(request.node.user_properties)


def lines(found: Iterable[Figure]) -> list[str]:
    """A line for each name and unit, in the order in which the names came."""
    values: dict[tuple[str, str], list[int | float]] = defaultdict(list)
    for name, value, unit in found:
        values[name, unit].append(value)
    width = max((len(name) for name, _ in values), default=0)
    return [f"{name:<{width}}  {_together(of)} {unit}".rstrip() for (name, unit), of in values.items()]


def _figure(reported: object) -> Figure:
    """What `Figures.add` noted, as it comes back from another process."""
    assert isinstance(reported, list)
    name, value, unit = reported
    return name, value, unit


def _together(values: list[int | float]) -> str:
    if all(isinstance(value, int) for value in values):
        return f"{sum(values):,}"
    low, high = min(values), max(values)
    return _shown(low) if low == high else f"{_shown(low)} to {_shown(high)}"


def _shown(value: float) -> str:
    """Three significant digits, and all that stand before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found: list[Figure] = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            # Every figure is known once the test is torn down, and reports of earlier phases repeat it.
            if isinstance(report, pytest.TestReport) and report.when == "teardown":
                found += [_figure(value) for name, value in report.user_properties if name == PROPERTY]
    if found:
        terminalreporter.section("figures")
        for line in lines(found):
            terminalreporter.write_line(line)
