"""Pages from templates: strict about what is missing, escaped, sent with what browsers may do with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Response, g, request, url_for
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from registry import clock
from registry.http.assets import Asset, assets_in
from registry.http.directions import contained
from registry.http.sessions import CONSOLE, TOLD, cookie_name, drop_cookie, form_token, told_before
from registry.services.console_sessions import Session
from registry.store.database import reading
from registry.store.records import body_names

from .forms import current_form
from .navigation import exists, first_page, may, places

FOLDER = Path(__file__).parent / "static"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
BROWSERS = (
    ("Edge", re.compile(r"Edg(?:A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"OPR/(\d+)")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"(?:Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"Version/(\d+).*Safari/")),
)
"""The more particular first: most claim to be others, too."""
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X"),
    ("Linux", "Linux"),
)
NO_TIME = Markup("–")


@cache
def environment() -> Environment:
    """The templates."""
    env = Environment(
        loader=PackageLoader("registry.http.console"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(day=day, moment=moment, words=words, number=number, browser=browser)
    env.globals.update(
        asset=_asset_path, link=link, here=here, exists=exists, may=may, styles=_styles, scripts=_scripts
    )
    return env


def _finalized(value: Any) -> Any:
    """What goes into a page: text that is not HTML yet turns no direction but its own."""
    return contained(str(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def day(given: date | None, *, weekday: bool = False) -> Markup:
    """A day as people write it, and as machines read it."""
    if given is None:
        return NO_TIME
    shown = f"{given:%a} " * weekday + f"{given.day} {given:%b %Y}"
    return Markup('<time datetime="{}">{}</time>').format(given.isoformat(), shown)


def moment(given: datetime | None, zone: str = "UTC") -> Markup:
    """An instant, to the minute, in a zone."""
    if given is None:
        return NO_TIME
    local = given.astimezone(ZoneInfo(zone))
    shown = f"{local.day} {local:%b %Y, %H:%M} {local.tzname()}"
    return Markup('<time datetime="{}">{}</time>').format(given.astimezone(UTC).isoformat(), shown)


def words(given: object) -> str:
    """A word of a vocabulary in plain letters: ``in_force`` is "in force"."""
    return str(given.value if isinstance(given, Enum) else given).replace("_", " ")


def number(given: float) -> str:
    """A number with its thousands apart, by spaces that no line is broken at."""
    return f"{given:,}".replace(",", "\u202f")


def browser(agent: str) -> str:
    """A browser and its system, by its own words, in few."""
    program = next((f"{name} {found[1]}" for name, told in BROWSERS if (found := told.search(agent))), None)
    system = next((name for name, told in SYSTEMS if told in agent), None)
    if program is None:
        return agent[:60] or "unnamed"
    return program if system is None else f"{program} on {system}"


def assets() -> dict[str, Asset]:
    """The styles, scripts and pictures of the console."""
    return assets_in(FOLDER)


def _asset_path(name: str) -> str:
    return url_for(f"{CONSOLE}console_asset", name=name, v=assets()[name].version)


def _styles() -> list[str]:
    """Every style, the common one first."""
    return sorted((n for n in assets() if n.endswith(".css")), key=lambda name: (name != "console.css", name))


def _scripts() -> list[str]:
    return sorted(name for name in assets() if name.endswith(".js"))


def link(page: str, **values: Any) -> str:
    """The path of a page, by the name of its view."""
    return url_for(CONSOLE + page, **values)


def here(**changed: Any) -> str:
    """This page with other arguments; one that is ``None`` is left out."""
    arguments = {**request.args.to_dict(flat=False), **{name: [v] for name, v in changed.items()}}
    told = [(name, str(each)) for name, values in arguments.items() for each in values if each is not None]
    return f"{request.path}?{urlencode(told)}" if told else request.path


def page_response(template: str, context: Mapping[str, Any], status: int = 200) -> Response:
    """A page as a response."""
    session: Session | None = g.get("console_session")
    told = told_before() if session is not None else None
    shown = environment().get_template(template)
    text = shown.render(
        form=current_form(),
        session=session,
        principal=None if session is None else session.principal,
        places=() if session is None else tuple(places(session.principal)),
        bodies=() if session is None else _bodies(),
        csrf_token=form_token() if session is not None else "",
        told=told,
        now=clock.now(),
        full_path=request.full_path.removesuffix("?"),
        first_page=first_page(),
        **context,
    )
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    if cookie_name(TOLD) in request.cookies:
        drop_cookie(response, TOLD)
    return response


def _bodies() -> tuple[tuple[str, str], ...]:
    """Codes and names of the bodies."""
    with reading() as connection:
        return body_names(connection)
