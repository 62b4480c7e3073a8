"""Whom an event is for."""

from __future__ import annotations

import pytest

from registry.domain.webhooks import WEBHOOK_DISABLED, Interest, Told

SUSPENDED = "registration.suspended"
ALL = Interest("hook", "owner", None, None)
NARROW = Interest("hook", "owner", frozenset({SUSPENDED}), "roster")
ROSTER = frozenset({"roster", "another"})


@pytest.mark.parametrize(
    ("interest", "told", "is_held"),
    [
        (ALL, Told(SUSPENDED), True),
        (ALL, Told(SUSPENDED, audience="owner"), True),
        (ALL, Told(SUSPENDED, audience="somebody else"), False),
        (ALL, Told(WEBHOOK_DISABLED, audience="owner", about_webhook="another"), True),
        (ALL, Told(WEBHOOK_DISABLED, audience="owner", about_webhook="hook"), False),
        (NARROW, Told(SUSPENDED, rosters=ROSTER), True),
        (NARROW, Told(SUSPENDED), False),
        (NARROW, Told(SUSPENDED, rosters=frozenset({"another"})), False),
        (NARROW, Told("registration.lapsed", rosters=ROSTER), False),
        (Interest("hook", "owner", None, "roster"), Told(WEBHOOK_DISABLED, audience="owner"), True),
        (NARROW, Told(WEBHOOK_DISABLED, audience="owner"), False),
        (NARROW, Told(SUSPENDED, audience="somebody else", rosters=ROSTER), False),
    ],
)
def test_an_event_is_for_whoever_may_see_it_and_asked_for_it(interest, told, is_held):
    assert interest.holds(told) is is_held
