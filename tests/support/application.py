"""The application, for as long as a test needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from registry.delivery.targets import Policy
from registry.http.app import create_app
from registry.http.clinic.webhooks import TARGETS
from registry.services.webhooks import Targets
from registry.settings import OFF, PROCESS, Settings
from registry.store.database import disconnect

NO_LIMITS: dict[str, Any] = {each.name: OFF for each in fields(Settings) if each.name.startswith("limit_")}


def everywhere(host: str, port: int) -> list[str]:
    """Looks no name up: each leads to one public address."""
    del host, port
    return ["93.184.215.14"]


@contextmanager
def running(settings: Settings, *, limited: bool = False) -> Iterator[Flask]:
    """An application whose connections are closed when the test is over.

    :param limited: whether the settings' limits hold; most tests ask more in a second than people in a day.
    """
    settings = replace(settings, counts=PROCESS)
    app = create_app(settings if limited else replace(settings, **NO_LIMITS))
    app.testing = True
    app.extensions[TARGETS] = Targets(Policy.of(settings), everywhere)
    try:
        yield app
    finally:
        disconnect(app)


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The application on a port of its own: its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
