"""What tests counted and measured is told at the end of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.figures import Figures, lines

pytest_plugins = ["pytester"]

TESTS = """
    import pytest

    @pytest.mark.parametrize("engine", ["one", "other"])
    def test_counts(figures, engine):
        figures.add("inputs tried", 600)
        figures.add("5xx seen", 0)

    @pytest.mark.parametrize("took", [0.25, 3.5])
    def test_measures(figures, took):
        figures.add("recovery", took, "s")

    def test_fails(figures):
        figures.add("5xx seen", 2)
        raise AssertionError
"""
FIGURES = ["*= figures =*", "inputs tried *1,200", "5xx seen *2", "recovery *0.25 to 3.5 s"]


@pytest.fixture(autouse=True)
def plugin_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))


@pytest.mark.parametrize("arguments", [["-p", "no:xdist"], ["-n", "2"]])
def test_figures_of_every_test_and_process_are_put_together(pytester: pytest.Pytester, arguments) -> None:
    pytester.makepyfile(TESTS)
    run = pytester.runpytest_subprocess("-p", "tests.support.figures", "-q", *arguments)
    for line in FIGURES:
        run.stdout.fnmatch_lines([line])


def test_a_run_without_figures_says_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    run = pytester.runpytest_subprocess("-p", "tests.support.figures", "-p", "no:xdist")
    run.assert_outcomes(passed=1)
    run.stdout.no_fnmatch_line("=* figures =*")


def test_counts_are_added_up_and_measurements_are_not() -> None:
    assert lines([("kills", 60, ""), ("kills", 40, ""), ("share", 0.5, "%"), ("share", 0.75, "%")]) == [
        "kills  100",
        "share  0.5 to 0.75 %",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True])
def test_what_is_no_number_is_no_figure(value) -> None:
    with pytest.raises(ValueError, match="no number"):
        Figures([]).add("writes lost", value)
