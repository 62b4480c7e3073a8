"""What every answer carries: its request's identifier, what browsers may do with it, how long it is kept."""

from __future__ import annotations

from flask import Flask, Response, request

from .access import rule_of
from .tracing import HEADER, request_id

HARDENING = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]
NO_CONTENT_OF_ITS_OWN = "default-src 'none'; frame-ancestors 'none'"
OPEN = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Link, Retry-After, X-Request-Id"),
]
PREFLIGHT = [
    ("Access-Control-Allow-Headers", "Content-Type, If-None-Match, X-Request-Id"),
    ("Access-Control-Max-Age", "86400"),
]


def send_headers(app: Flask) -> None:
    """Add the headers; to be called when all routes are registered.

    Only what anyone may read is open to scripts of other sites (CORS), and without keys.
    """
    public = {name for name in app.view_functions if rule_of(name.rpartition(".")[2]).public}

    @app.after_request
    def add(response: Response) -> Response:
        headers = response.headers
        for name, value in HARDENING:
            headers.add(name, value)
        headers.add(HEADER, request_id())
        if "Content-Security-Policy" not in headers:
            headers.add("Content-Security-Policy", NO_CONTENT_OF_ITS_OWN)
        if request.endpoint in public:
            for name, value in OPEN:
                headers.add(name, value)
            if request.method == "OPTIONS":
                headers.extend(PREFLIGHT)
                headers["Access-Control-Allow-Methods"] = headers.get("Allow", "GET")
        elif "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        return response
