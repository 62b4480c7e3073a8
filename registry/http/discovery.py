"""How to find out what the service offers: its description, a page to try it on, well-known addresses.

The page is Swagger UI (Apache-2.0; from the wheel flask-swagger-ui 5.34.0), served from here under a policy
that lets it reach no other host.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app

from registry import clock
from registry.errors import NotFound
from registry.settings import Settings

from .answers import cache_control, etag_of, not_modified
from .fields import instant_text
from .openapi import document, to_yaml

blueprint = Blueprint("discovery", __name__)

STATIC = Path(__file__).parent / "static"
SWAGGER_UI = STATIC / "swagger-ui"
ASSETS = {
    "docs.js": (STATIC, "text/javascript; charset=utf-8"),
    "swagger-ui-bundle.js": (SWAGGER_UI, "text/javascript; charset=utf-8"),
    "swagger-ui.css": (SWAGGER_UI, "text/css; charset=utf-8"),
    "favicon-32x32.png": (SWAGGER_UI, "image/png"),
    "LICENSE.txt": (SWAGGER_UI, "text/plain; charset=utf-8"),
}
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
CATALOG_TYPE = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
SECONDS_KEPT = 300
SECURITY_TXT_HOLDS = timedelta(days=180)


@blueprint.get("/openapi.json")
def openapi_json() -> Response:
    """The description of the API, as JSON."""
    return _kept(_made("json", json.dumps), "application/json")


@blueprint.get("/openapi.yaml")
def openapi_yaml() -> Response:
    """The description of the API, as YAML."""
    return _kept(_made("yaml", to_yaml), "application/yaml")


@blueprint.get("/docs")
def docs() -> Response:
    """A page on which the API can be tried."""
    response = _kept((STATIC / "docs.html").read_bytes(), "text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = DOCS_POLICY
    return response


@blueprint.get("/docs/assets/<name>")
def docs_asset(name: str) -> Response:
    """What that page is made of."""
    if name not in ASSETS:
        raise NotFound("There is no such asset.")
    folder, content_type = ASSETS[name]
    return _kept(_content(folder / name), content_type)


@blueprint.get("/.well-known/api-catalog")
def api_catalog() -> Response:
    """Where the API is described (RFC 9727, in the form of RFC 9264)."""
    base = _settings().public_url
    described = [
        {"href": f"{base}/openapi.json", "type": "application/json"},
        {"href": f"{base}/openapi.yaml", "type": "application/yaml"},
    ]
    entry = {
        "anchor": f"{base}/v1/",
        "service-desc": described,
        "service-doc": [{"href": f"{base}/docs", "type": "text/html"}],
        "status": [{"href": f"{base}/readyz", "type": "application/json"}],
    }
    response = _kept(json.dumps({"linkset": [entry]}).encode(), CATALOG_TYPE)
    response.headers["Link"] = f'<{base}/.well-known/api-catalog>; rel="api-catalog"'
    return response


@blueprint.get("/.well-known/security.txt")
def security_txt() -> Response:
    """Where to report a vulnerability (RFC 9116)."""
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: {_settings().contact}",
        f"Expires: {instant_text(today + SECURITY_TXT_HOLDS)}",
        "Preferred-Languages: en",
        f"Canonical: {_settings().public_url}/.well-known/security.txt",
    )
    return _kept("".join(f"{line}\n" for line in lines).encode(), "text/plain; charset=utf-8")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["registry.settings"]
    return settings


def _made(form: str, make: Callable[[dict[str, Any]], str]) -> bytes:
    """The description in one form, made once for each application."""
    key = f"registry.document.{form}"
    made: bytes | None = current_app.extensions.get(key)
    if made is None:
        current_app.extensions[key] = made = make(document(current_app)).encode()
    return made


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()


def _kept(content: bytes, content_type: str) -> Response:
    response = Response(content, content_type=content_type)
    response.headers["ETag"] = etag_of(content)
    response.headers["Cache-Control"] = cache_control(SECONDS_KEPT)
    return not_modified(response)
