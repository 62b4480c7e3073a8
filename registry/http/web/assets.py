"""The style, the script and the picture that the pages for patients are shown with."""

from __future__ import annotations

from pathlib import Path

from registry.http.assets import Asset, assets_in

FOLDER = Path(__file__).parent / "static"


def assets() -> dict[str, Asset]:
    """All of them, by name."""
    return assets_in(FOLDER)
