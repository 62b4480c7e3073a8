"""Each target of fuzzing holds for its seeds, and for what is made of them: the same in every run."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.corpus import CORPUS, seeds, write_seeds
from tests.fuzz.targets import TARGETS
from tests.fuzz.unguided import drive, inputs
from tests.support.figures import Figures

EXAMPLES = 150


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds(name: str, figures: Figures) -> None:
    tried = list(seeds(name))
    for seed in tried:
        TARGETS[name](seed)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(name))
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()
    figures.add("hostile inputs tried", len(tried) + EXAMPLES)


def test_each_target_has_seeds_and_says_what_holds() -> None:
    assert CORPUS.keys() == TARGETS.keys()
    for name, target in TARGETS.items():
        assert len(target.__doc__ or "") > 100
        assert any(seeds(name))


def test_what_breaks_an_invariant_is_found_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(data: bytes) -> None:
        assert b"\xff" not in data

    monkeypatch.setitem(TARGETS, "names", breaks)
    count, message = drive("names", 60)
    assert count > 0
    assert "AssertionError" in str(message)


def test_a_target_that_holds_is_driven_for_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, "names", lambda _: None)
    assert drive("names", 0.2)[1] is None


def test_seeds_are_files_for_who_wants_files(tmp_path) -> None:
    write_seeds("cursor", tmp_path)
    assert len(list(tmp_path.iterdir())) == len(set(seeds("cursor")))
