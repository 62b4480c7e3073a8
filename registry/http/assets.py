"""Styles, scripts and pictures that pages are shown with: read once, kept by browsers for good."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

from flask import Response, request
from werkzeug import Response as AnyResponse

A_YEAR = 365 * 24 * 3600
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent; ``version`` changes whenever the file does."""

    content: bytes
    content_type: str
    version: str


@cache
def assets_in(folder: Path) -> dict[str, Asset]:
    """All of a folder, by name."""
    return {path.name: _read(path) for path in sorted(folder.iterdir()) if path.suffix in TYPES}


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, TYPES[path.suffix], blake2b(content, digest_size=6).hexdigest())


def asset_response(asset: Asset) -> AnyResponse:
    """A file, to be kept for good by who asked for it with its version (``v``), or not sent again."""
    response = Response(asset.content, content_type=asset.content_type)
    is_named = request.args.get("v") == asset.version
    response.headers["Cache-Control"] = (
        f"public, max-age={A_YEAR if is_named else 60}{', immutable' * is_named}"
    )
    response.set_etag(asset.version)
    return response.make_conditional(request)
