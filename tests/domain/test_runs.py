"""Runs of days through which a standing holds, whatever else changes."""

from __future__ import annotations

from registry.domain.runs import run_on
from registry.domain.timeline import Timeline, fold
from registry.domain.vocabulary import Standing
from tests.domain.deciding import ACTIVE, NEEDLING, D, granted, reported, revoked, suspended


def test_a_suspension_that_outlasts_the_term_is_one_run() -> None:
    timeline = fold([granted("2026-01-01", "2026-06-30"), suspended("2026-06-01", "2026-07-31")])
    assert timeline.on(D("2026-07-10")).standing is Standing.LAPSED
    assert run_on(timeline, D("2026-07-10"), Standing.SUSPENDED) == (D("2026-06-01"), D("2026-07-31"))
    assert run_on(timeline, D("2026-07-10"), Standing.LAPSED) == (D("2026-07-01"), None)


def test_a_word_reported_later_does_not_begin_a_revocation_anew() -> None:
    decisions = [granted("2026-01-01"), revoked("2026-03-01"), reported("2026-05-01", ACTIVE)]
    run = run_on(fold(decisions), D("2026-06-01"), Standing.REVOKED)
    assert run == (D("2026-03-01"), None)


def test_there_is_no_run_of_what_does_not_hold() -> None:
    assert run_on(Timeline(), D("2026-06-01"), Standing.LAPSED) is None
    granted_only = fold([granted("2026-01-01", "2026-06-30", scope=NEEDLING)])
    assert run_on(granted_only, D("2026-06-30"), Standing.LAPSED) is None
    assert run_on(granted_only, D("2026-06-30"), Standing.IN_FORCE) == (D("2026-01-01"), D("2026-06-30"))
