"""The yardstick: a Flask view that does nothing, under the same server."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/healthz")
@app.get("/empty")
def empty() -> dict[str, str]:
    """The least that a Flask view can answer as JSON."""
    return {"status": "ok"}
