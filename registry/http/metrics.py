"""What the processes of a server count, in the words of Prometheus.

Under gunicorn each process counts in a file of its own, and a scrape adds the files up
(:mod:`registry.http.serving` sets that up); elsewhere a process counts for itself. No label ever holds what
came with a request: routes, statuses, techniques and outcomes are all ours, and few.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from registry.domain.verdict import Verdict
from registry.domain.vocabulary import Outcome, Technique

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NO_ROUTE = "none"
UNCHANGED = "unchanged"

counted = CollectorRegistry()

REQUESTS = Histogram(
    "registry_http_request_seconds",
    "Time from a request to its answer (to its end where it is streamed), by operation and status.",
    ["route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=counted,
)
IMPORTS = Histogram(
    "registry_import_seconds",
    "Time that a stage of an import took over HTTP.",
    ["stage"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600),
    registry=counted,
)
VERIFICATIONS = Counter(
    "registry_verifications_total",
    "Verdicts given one by one, by technique and outcome; unchanged where the caller had the answer.",
    ["technique", "outcome"],
    registry=counted,
)
BATCH_QUESTIONS = Counter(
    "registry_batch_questions_total", "Questions asked by the thousand.", registry=counted
)
UNAVAILABLE = Counter(
    "registry_unavailable_total",
    "Requests that could not be answered at the moment, by reason.",
    ["reason"],
    registry=counted,
)
REASONS = ("database", "pool_exhausted", "refused")
for _reason in REASONS:
    UNAVAILABLE.labels(_reason)  # told from the start, so that the first is seen to be one more than none
WORKERS = Gauge(
    "registry_workers", "Processes that answer requests.", multiprocess_mode="livesum", registry=counted
)
THREADS = Gauge(
    "registry_threads",
    "Requests that all processes can answer at a time.",
    multiprocess_mode="livesum",
    registry=counted,
)
THREADS_BUSY = Gauge(
    "registry_threads_busy",
    "Requests that are being answered, looked at every few seconds.",
    multiprocess_mode="livesum",
    registry=counted,
)
CLIENTS = Gauge(
    "registry_connections",
    "Connections of clients to all processes, looked at every few seconds.",
    multiprocess_mode="livesum",
    registry=counted,
)
GIVEN_UP = Counter(
    "registry_connections_given_up_total",
    "Connections of clients that were ended since others needed what they held.",
    registry=counted,
)
CONNECTIONS = Gauge(
    "registry_database_connections",
    "Connections to the database that the pools of all processes hold, looked at every few seconds.",
    ["pool", "state"],
    multiprocess_mode="livesum",
    registry=counted,
)
REPLICA_AGE = Gauge(
    "registry_replica_age_seconds",
    "How long ago all that was recorded is in a replica for certain, as the process has it that knows least.",
    ["replica"],
    multiprocess_mode="livemax",
    registry=counted,
)
CONNECTIONS_ALLOWED = Gauge(
    "registry_database_connections_allowed",
    "Connections that the pools of all processes may hold.",
    ["pool"],
    multiprocess_mode="livesum",
    registry=counted,
)


_verdicts: dict[tuple[Technique, Outcome | str], Counter] = {}


def count_verdicts(verdicts: Iterable[Verdict]) -> None:
    """Count verdicts that were given one by one."""
    for verdict in verdicts:
        _count(verdict.question.technique, verdict.outcome)


def count_unchanged(techniques: Iterable[Technique]) -> None:
    """Count verdicts that the caller had already, and that are still right."""
    for technique in techniques:
        _count(technique, UNCHANGED)


def _count(technique: Technique, outcome: Outcome | str) -> None:
    counter = _verdicts.get((technique, outcome))
    if counter is None:
        counter = _verdicts[technique, outcome] = VERIFICATIONS.labels(str(technique), str(outcome))
    counter.inc()


class _AllProcesses(MultiProcessCollector):
    """What all processes of this server count; one that is about to begin has made its file, still empty."""

    def collect(self) -> Iterable[Metric]:
        """What their files hold, but for those that are empty, which the library cannot read."""
        found = Path(self._path).glob("*.db")
        begun = [str(file) for file in found if _size_of(file)]
        merged: Iterable[Metric] = self.merge(begun, accumulate=True)  # type: ignore[no-untyped-call]  # published half typed
        return merged


def _size_of(file: Path) -> int:
    """In bytes; none where it has gone meanwhile."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def exposition(folder: str | PathLike[str] | None, besides: Iterable[Collector]) -> bytes:
    """All that is counted, as Prometheus reads it.

    :param folder: where the processes of this server count; ``None`` where this process counts for itself.
    :param besides: what is found out at this moment.
    """
    found = CollectorRegistry()
    if folder is None:
        found.register(counted)
    else:
        _AllProcesses(found, path=str(folder))  # type: ignore[no-untyped-call]  # published half typed
    for each in besides:
        found.register(each)
    return generate_latest(found)
