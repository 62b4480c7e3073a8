"""The addresses of the pages: each with the language left open, and with it in front (``/fr/about``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, Flask, Response, redirect, request
from werkzeug import Response as AnyResponse
from werkzeug.exceptions import NotFound

from registry.http.assets import A_YEAR, asset_response
from registry.http.problems import LOST, show_problems_with

from .about import about_page, easy_about_page
from .assets import assets
from .check import card_page, check_page, easy_check_page
from .codes import badge_svg, changes_feed, qr_png, qr_svg
from .find import find_page
from .languages import LANGUAGES
from .problems import problem_page
from .search import search_page
from .visits import COOKIE, IN_LANGUAGE, PLAIN, language_of_address, public_url

CHECK = "/check/<code:body>/<number:number>"


def register_pages(app: Flask) -> None:
    """Serve the pages, and show failures on them to people."""
    blueprint = _blueprint()
    app.register_blueprint(blueprint, name=PLAIN)
    app.register_blueprint(blueprint, name=IN_LANGUAGE, url_prefix=f"/<any({','.join(LANGUAGES)}):language>")
    show_problems_with(app, problem_page, PLAIN, IN_LANGUAGE, LOST)


def _blueprint() -> Blueprint:
    blueprint = Blueprint(PLAIN, __name__)
    blueprint.url_value_preprocessor(language_of_address)
    for rule, view in {**PAGES, **OTHERS}.items():
        blueprint.add_url_rule(rule, view_func=view)
    return blueprint


def choose_page_language(code: str) -> AnyResponse:
    """Remember a language, and go on in it. ``to`` is a path of this site."""
    if code not in LANGUAGES:
        raise NotFound
    response = redirect(f"/{code}{_own_path(request.args.get('to', ''))}", 303)
    by_https = public_url().startswith("https://")
    response.set_cookie(COOKIE, code, max_age=A_YEAR, secure=by_https, httponly=True, samesite="Lax")
    response.headers["Cache-Control"] = "no-store"
    return response


def _own_path(given: str) -> str:
    """A path of this site as it is; anything else is the first page."""
    is_own = given.startswith("/") and not given.startswith("//")
    return given if is_own and "\\" not in given and given.isprintable() else "/"


def page_asset(name: str) -> AnyResponse:
    """A style, a script, a picture or a licence."""
    asset = assets().get(name)
    if asset is None:
        raise NotFound
    return asset_response(asset)


PAGES: Mapping[str, Callable[..., Response]] = {
    "/": search_page,
    "/find": find_page,
    "/about": about_page,
    "/about/easy": easy_about_page,
    CHECK: check_page,
    f"{CHECK}/easy": easy_check_page,
    f"{CHECK}/card": card_page,
}
OTHERS: Mapping[str, Callable[..., AnyResponse]] = {
    f"{CHECK}/qr.svg": qr_svg,
    f"{CHECK}/qr.png": qr_png,
    f"{CHECK}/badge.svg": badge_svg,
    f"{CHECK}/changes.atom": changes_feed,
    "/language/<code>": choose_page_language,
    "/assets/<name>": page_asset,
}
