"""Whatever is done to the chain afterwards is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.audit_chain import (
    BEFORE_THE_FIRST,
    AuditEntry,
    Happening,
    checkpoint_of,
    find_breaks,
    hash_of,
    sealed,
)

INSTANTS = st.integers(0, 2**32 * 1_000_000).map(lambda n: datetime.fromtimestamp(n / 1_000_000, UTC))
WORDS = st.text(max_size=12)
HAPPENINGS = st.builds(
    Happening,
    at=INSTANTS,
    principal=WORDS,
    action=WORDS,
    address=st.none() | WORDS,
    request_id=st.none() | WORDS,
    body_id=st.none() | WORDS,
    details=st.dictionaries(WORDS, WORDS | st.integers() | st.lists(WORDS)),
)


def chain(told: list[Happening]) -> list[AuditEntry]:
    entries, previous = [], BEFORE_THE_FIRST
    for seq, happening in enumerate(told, 1):
        entry = sealed(happening, seq=seq, id_=f"id-{seq}", sealed_through=seq, facts=None, previous=previous)
        entries.append(entry)
        previous = entry.hash
    return entries


CHAINS = st.lists(HAPPENINGS, min_size=3, max_size=8).map(chain)


def altered(entry: AuditEntry, field: str) -> AuditEntry:
    """The entry with one thing told differently."""
    told = entry.happening
    value = getattr(told, field)
    other = {
        "at": lambda: value.replace(microsecond=(value.microsecond + 1) % 1_000_000),
        "details": lambda: {**value, "more": 1},
    }.get(field, lambda: (value or "") + "x")()
    return replace(entry, happening=replace(told, **{field: other}))


@given(CHAINS)
def test_a_chain_as_it_was_written_has_no_break(entries):
    assert list(find_breaks(entries)) == []


@given(CHAINS, st.data())
def test_an_altered_entry_is_found_whichever_part_of_it(entries, data):
    place = data.draw(st.integers(0, len(entries) - 1))
    field = data.draw(
        st.sampled_from(["at", "principal", "action", "address", "request_id", "body_id", "details"])
    )
    entries[place] = altered(entries[place], field)
    assert entries[place].seq in {found.seq for found in find_breaks(entries)}


@given(CHAINS, st.data())
def test_an_entry_altered_and_hashed_anew_breaks_the_next(entries, data):
    place = data.draw(st.integers(0, len(entries) - 2))
    changed = altered(entries[place], "principal")
    entries[place] = replace(changed, hash=hash_of(changed))
    assert [found.seq for found in find_breaks(entries)] == [entries[place + 1].seq]


@given(CHAINS, st.data())
def test_a_missing_entry_is_found(entries, data):
    place = data.draw(st.integers(0, len(entries) - 2))
    del entries[place]
    assert list(find_breaks(entries))


@given(CHAINS, st.data())
def test_exchanged_entries_are_found(entries, data):
    one = data.draw(st.integers(0, len(entries) - 2))
    entries[one], entries[one + 1] = entries[one + 1], entries[one]
    assert list(find_breaks(entries))


def test_the_hash_is_of_the_instant_not_of_the_zone_in_which_it_was_read():
    at = datetime(2026, 3, 1, 12, 0, 0, 5, UTC)
    (entry,) = chain([Happening(at, "operator:x", "create_key")])
    elsewhere = replace(entry, happening=replace(entry.happening, at=at.astimezone()))
    assert hash_of(elsewhere) == entry.hash


def test_a_checkpoint_is_read_back_and_nothing_else_is():
    (entry,) = chain([Happening(datetime(2026, 3, 1, tzinfo=UTC), "operator:x", "create_key")])
    assert checkpoint_of(entry.checkpoint + "\n") == (1, entry.hash)
    for wrong in ("", "1", "1:", "x:" + "0" * 64, "1:" + "0" * 63, "1:" + "G" * 64, "-1:" + "0" * 64):
        with pytest.raises(ValueError, match="checkpoint"):
            checkpoint_of(wrong)
