"""Whether the service is alive, and whether it is ready; and pages about its problems."""

from __future__ import annotations

from threading import Lock

from flask import Blueprint, Flask, Response, current_app, jsonify

from registry import clock
from registry.errors import Unavailable
from registry.services.readiness import FINE, Check, Findings

from .operation_metrics import look_around
from .problems import problem_page

blueprint = Blueprint("service", __name__)

GOOD_FOR_SECONDS = 1.0
"""Whoever asks more often is told what was found before, so that asking costs the database nothing."""
FOUND = "registry.found"


class LastFindings:
    """What a process last found, for those who ask shortly after each other."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last: Findings | None = None

    def get(self) -> Findings:
        """What was found within the last second, by one of those who ask at a time."""
        with self._lock:
            if self._last is None or self._age(self._last) > GOOD_FOR_SECONDS:
                self._last = look_around()
            return self._last

    @staticmethod
    def _age(findings: Findings) -> float:
        return abs((clock.now() - findings.at).total_seconds())


def remember_findings(app: Flask) -> None:
    """To be called once for each application."""
    app.extensions[FOUND] = LastFindings()


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers; nothing more."""
    return _fresh({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """Whether the server can answer: each check with its state and its age.

    ``ok``; or ``degraded``, where something is amiss without which it still can; else 503.

    :raises registry.errors.Unavailable: it cannot; ``problems`` are all checks.
    """
    last: LastFindings = current_app.extensions[FOUND]
    findings = last.get()
    shown = [_shown(check) for check in findings.checks]
    if not findings.serves:
        raise Unavailable(next(check.detail for check in findings.checks if not check.serves), shown)
    return _fresh({"status": "ok" if findings.fine else "degraded", "checks": shown})


def _shown(check: Check) -> dict[str, object]:
    age = None if check.age_seconds is None else round(check.age_seconds, 1)
    return {
        "check": check.name,
        "state": check.state.value,
        "fine": check.state in FINE,
        "age_seconds": age,
        "detail": check.detail,
    }


@blueprint.get("/problems/<slug>")
def problem_type(slug: str) -> Response:
    """What a type of problem means and what to do about it."""
    return problem_page(slug)


def _fresh(value: dict[str, object]) -> Response:
    response = jsonify(value)
    response.headers["Cache-Control"] = "no-store"
    return response
