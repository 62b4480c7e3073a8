"""Metrics that no process counts: they are looked up in the database, when they are asked for."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from flask import current_app
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from registry import clock
from registry.services.readiness import FINE, Findings, Limits, look, newest_revision
from registry.settings import Settings
from registry.store.database import public_reading, reading

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
        checks = GaugeMetricFamily(
            "registry_check",
            "Whether a check of /readyz is as it should be (1) or not (0).",
            labels=["check"],
        )
        for check in self._findings.checks:
            checks.add_metric([check.name], float(check.state in FINE))
        yield checks
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
    return look(public_reading, reading, limits, at=clock.now())
