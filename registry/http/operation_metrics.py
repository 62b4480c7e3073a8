"""Metrics that no process counts: they are looked up in the database, when they are asked for."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from flask import current_app
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from registry import clock
from registry.domain.webhooks import DeliveryOutcome
from registry.errors import Unavailable
from registry.services.readiness import FINE, Findings, Limits, look, newest_revision
from registry.settings import Settings
from registry.store import notices
from registry.store import webhook_queue as queue
from registry.store.database import probing, public_reading

RECENT = timedelta(minutes=10)

GAUGES = {
    "sweep": ("registry_sweep_age_seconds", "Time since the last sweep that came to its end."),
    "feed": ("registry_feed_lag_seconds", "Age of the oldest event that the public cannot read yet."),
}
"""By check: the metric that is its age."""


class FoundOut(Collector):
    """What was found, as metrics; what could not be is left out."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        yield _build()
        fine = {check.name: float(check.state in FINE) for check in self._findings.checks}
        yield _by(
            "registry_check", "Whether a check of /readyz is as it should be (1) or not.", "check", fine
        )
        for name, (metric, meaning) in GAUGES.items():
            age = self._findings.check(name).age_seconds
            if age is not None:
                yield GaugeMetricFamily(metric, meaning, value=age)
        if self._findings.newest_seq is not None:
            yield GaugeMetricFamily(
                "registry_feed_newest_seq", "Number of the newest event.", value=self._findings.newest_seq
            )
        if self._findings.feed_behind is not None:
            yield GaugeMetricFamily(
                "registry_feed_lag_events",
                "Events that were recorded and that the public cannot read yet.",
                value=self._findings.feed_behind,
            )


class Webhooks(Collector):
    """The queue of webhooks; nothing where the database cannot be reached."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        try:
            with probing() as connection:
                waiting = queue.waiting(connection)
                states = queue.subscriptions(connection)
                replays = queue.replays(connection)
                attempts = queue.attempts_since(connection, clock.first_id_of(self._at - RECENT))
        except Unavailable:
            return
        delays = {state: self._age(each.since) for state, each in waiting.items()}
        outcomes = {outcome.value: attempts.get(outcome.value, 0) for outcome in DeliveryOutcome}
        yield _by("registry_webhooks", "Subscriptions.", "state", states)
        yield _by(
            "registry_webhooks_waiting",
            "Subscriptions to whom an event is to be sent, or sent again.",
            "state",
            {state: each.subscriptions for state, each in waiting.items()},
        )
        yield _by(
            "registry_webhook_delay_seconds",
            "Age of the oldest event that was not delivered yet to one of those who wait.",
            "state",
            delays,
        )
        yield GaugeMetricFamily(
            "registry_webhook_replays", "Messages to be sent again as their receivers wished.", value=replays
        )
        yield _by(
            "registry_webhook_attempts",
            "Attempts of the last ten minutes that the log still has, by what came of them.",
            "outcome",
            outcomes,
        )

    def _age(self, since: datetime | None) -> float:
        return 0.0 if since is None else max(0.0, (self._at - since).total_seconds())


class Notices(Collector):
    """The outbox of notices; nothing where the database cannot be reached."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def collect(self) -> Iterator[Metric]:
        """The metrics."""
        try:
            with probing() as connection:
                counts = notices.counts(connection)
                since = notices.due_since(connection, self._at)
        except Unavailable:
            return
        states = {state: counts.get(state, 0) for state in ("queued", "sending")}
        yield _by("registry_notices", "Notices that are to be sent, by state.", "state", states)
        yield GaugeMetricFamily(
            "registry_notice_delay_seconds",
            "How long the oldest notice waits that is to be sent by now.",
            value=0.0 if since is None else (self._at - since).total_seconds(),
        )


def _by(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family


def _build() -> Metric:
    known = {"version": version_of_package(), "python": platform.python_version()}
    return InfoMetricFamily(
        "registry_build", "What is running.", value={**known, "schema": newest_revision() or "none"}
    )


@lru_cache(maxsize=1)
def version_of_package() -> str:
    """The version that is installed."""
    try:
        return version("needling-registry")
    except PackageNotFoundError:  # run from its sources
        return "unknown"


def look_around() -> Findings:
    """Look at everything now, by the limits of the settings."""
    settings: Settings = current_app.extensions["registry.settings"]
    limits = Limits(settings.sweep_late_seconds, settings.feed_late_seconds)
    return look(public_reading, probing, limits, at=clock.now())
