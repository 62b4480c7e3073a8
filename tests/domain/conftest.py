"""The same examples in every run; with `--hypothesis-profile=explore` many new ones."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=5_000)
if settings.get_current_profile_name() != "explore":
    settings.load_profile("repeatable")
