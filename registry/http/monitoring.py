"""The address for those who run the service: ``/metrics``, ``/healthz`` and ``/readyz``, and nothing else.

It is where ``REGISTRY_METRICS_BIND`` says, so that a firewall decides who reaches it; at the address of the
public there are no metrics. Which of the two a request came to is read off its socket, not off its headers.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from flask import Flask
from sqlalchemy import QueuePool

from registry.services.readiness import newest_revision, older_revisions
from registry.store.database import db, replica_ages

from .clinic.waiting import end_waiting
from .metrics import (
    CLIENTS,
    CONNECTIONS,
    CONNECTIONS_ALLOWED,
    CONTENT_TYPE,
    GIVEN_UP,
    REPLICA_AGE,
    THREADS,
    THREADS_BUSY,
    WORKERS,
    exposition,
)
from .operation_metrics import FoundOut, Notices, Webhooks, look_around

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from .workers import PatientWorker

METRICS = "/metrics"
SERVED_HERE = frozenset({"/healthz", "/readyz"})
LOOKED_EVERY = 5.0
"""Seconds between two looks at what is in use."""


class Monitored:
    """An application beside which metrics are served, at a port of their own.

    :param port: of the listener for those who run the service.
    """

    def __init__(self, app: Flask, application: WSGIApplication, port: int, folder: str) -> None:
        self._app = app
        self._application = application
        self._port = port
        self._named = str(port)
        self._folder = folder or None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ["SERVER_PORT"] != self._named or not self._came_here(environ):
            return self._application(environ, start_response)
        if environ["PATH_INFO"] in SERVED_HERE:
            return self._application(environ, start_response)
        if environ["PATH_INFO"] != METRICS or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return []
        with self._app.app_context():
            findings = look_around()
            content = exposition(
                self._folder, [FoundOut(findings), Webhooks(findings.at), Notices(findings.at)]
            )
        headers = [("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-store")]
        start_response("200 OK", [*headers, ("Content-Length", str(len(content)))])
        return [content]

    def _came_here(self, environ: WSGIEnvironment) -> bool:
        """Whether it came through that listener. The port alone may be what the request said of itself."""
        through = environ.get("gunicorn.socket")
        if through is None or through.family not in (socket.AF_INET, socket.AF_INET6):
            return False
        return bool(through.getsockname()[1] == self._port)


def watch(worker: PatientWorker) -> None:
    """Count a worker and, for as long as it lives, what it has in use; let it end well."""
    app: Flask = worker.wsgi
    worker.when_ending = lambda: end_waiting(app)
    newest_revision()  # takes long, once: before the first probe asks for it
    older_revisions()
    WORKERS.set(1)
    THREADS.set(worker.cfg.threads)
    threading.Thread(target=_look_at, args=(worker,), name="monitoring", daemon=True).start()


def _look_at(worker: PatientWorker) -> None:
    """Count what is in use, every few seconds."""
    pause, told = threading.Event(), 0
    with worker.wsgi.app_context():
        while True:
            THREADS_BUSY.set(len(worker.busy))
            CLIENTS.set(worker.nr_conns)
            given_up = worker.given_up
            GIVEN_UP.inc(given_up - told)
            told = given_up
            for key, engine in db.engines.items():
                pool, name = cast(QueuePool, engine.pool), key or "main"
                CONNECTIONS.labels(name, "in_use").set(pool.checkedout())
                CONNECTIONS.labels(name, "idle").set(pool.checkedin())
                CONNECTIONS_ALLOWED.labels(name).set(pool.size())
            for name, age in replica_ages().items():
                REPLICA_AGE.labels(name).set(age)
            pause.wait(LOOKED_EVERY)
