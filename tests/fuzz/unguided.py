"""Drives a target without atheris: Hypothesis makes the inputs, from the seeds and from nothing."""

from __future__ import annotations

import time
import traceback

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import seeds
from tests.fuzz.targets import TARGETS

MANY = 1_000_000


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Bytes: seeds with some of their bytes replaced, left out or put in; texts; anything."""
    edits = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=4)), max_size=6)
    known = st.builds(_edited, st.sampled_from(list(seeds(name))), edits)
    return (
        known
        | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
        | st.binary(max_size=200)
    )


def _edited(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for wherever, length, instead in edits:
        at = wherever % (len(seed) + 1)
        seed = seed[:at] + instead + seed[at + length :]
    return seed


def drive(name: str, seconds: float) -> tuple[int, str | None]:
    """How many inputs a target was given in so many seconds, and what broke it."""
    until, count = time.monotonic() + seconds, 0

    @settings(max_examples=MANY, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(inputs(name))
    def tried(data: bytes) -> None:
        nonlocal count
        if time.monotonic() > until:
            raise _Enough
        count += 1
        TARGETS[name](data)

    try:
        tried()
    except _Enough:
        pass
    except Exception:  # noqa: BLE001 - whatever it is, it is what was looked for
        return count, traceback.format_exc()
    return count, None


class _Enough(BaseException):
    """The time is over."""
