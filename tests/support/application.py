"""The application, for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from registry.http.app import create_app
from registry.settings import Settings
from registry.store.database import db


@contextmanager
def running(settings: Settings) -> Iterator[Flask]:
    """An application whose connections are closed when the test is over."""
    app = create_app(settings)
    app.testing = True
    try:
        yield app
    finally:
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()
