"""Pages from templates: strict about what is missing, escaped, sent with what browsers may do with them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from typing import Any

from flask import Response, request
from jinja2 import Environment, PackageLoader, StrictUndefined

from registry.domain.vocabulary import Technique
from registry.http.directions import contained
from registry.store.database import stale_since

from .assets import assets
from .languages import LANGUAGES, Language, translations_of
from .phrases import MODES, SIGNS, STANDINGS, TECHNIQUES
from .sentences import named
from .speech import SPOKEN, Listed, Speech, Verbatim, say, speech
from .visits import Visit, current_visit

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
NOT_KEPT = "no-store"
FOR_AN_HOUR = "public, max-age=3600"


@cache
def environment(language: Language) -> Environment:
    """The templates as they are spoken in a language."""
    env = Environment(
        loader=PackageLoader("registry.http.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_translations(translations_of(language), newstyle=True)  # type: ignore[attr-defined]  # of the extension
    voice = speech(language)
    env.filters.update(
        say=voice.html,
        plain=voice.text,
        day=voice.day,
        own=lambda text: voice.html(Verbatim(text)),
        own_plain=lambda text: voice.text(Verbatim(text)),
    )
    env.globals.update(
        language=language,
        languages=LANGUAGES,
        speech=voice,
        techniques={technique: say(TECHNIQUES[technique]) for technique in Technique},
        standings={standing: say(words) for standing, words in STANDINGS.items()},
        modes={mode: say(words) for mode, words in MODES.items()},
        signs=SIGNS,
        asset=_asset_path,
        names=lambda given: voice.text(named(given)),
        language_names=lambda tags: voice.html(Listed([Verbatim(voice.language_name(tag)) for tag in tags])),
        technique_choices=lambda first: _choices(voice, first, TECHNIQUES),
        mode_choices=lambda first: _choices(voice, first, MODES),
        body_choices=lambda bodies, first: [("", first), *((body.code, body.name) for body in bodies)],
        language_choices=lambda first: [("", first), *_languages(voice)],
    )
    return env


def _finalized(value: Any) -> Any:
    """What goes into a page: text that is not HTML yet turns no direction but its own."""
    return contained(value) if type(value) is str else value


def _choices(voice: Speech, first: str | None, words: Mapping[Any, str]) -> list[tuple[str, str]]:
    """What can be chosen from a list; ``first`` stands for none of them."""
    choices = [(str(value), voice.text(say(phrase))) for value, phrase in words.items()]
    return choices if first is None else [("", first), *choices]


def _languages(voice: Speech) -> list[tuple[str, str]]:
    return sorted(((code, voice.language_name(code)) for code in SPOKEN), key=lambda choice: choice[1])


def _asset_path(name: str) -> str:
    return f"/assets/{name}?v={assets()[name].version}"


def render(template: str, context: Mapping[str, Any], *, visit: Visit | None = None) -> str:
    """The text of a template in the language of the visit."""
    visit = visit or current_visit()
    shown = environment(visit.language).get_template(template)
    return shown.render(visit=visit, link=visit.link, stale_since=stale_since(), **context)


def page(template: str, *, status: int = 200, cache_control: str = NOT_KEPT, **context: Any) -> Response:
    """A page as a response."""
    response = Response(render(template, context), status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return in_language(response, cache_control if stale_since() is None else NOT_KEPT)


def in_language(response: Response, cache_control: str) -> Response:
    """Say in which language it speaks and how long it may be kept; 304 where the browser has it already."""
    visit = current_visit()
    response.headers["Content-Language"] = visit.language.code
    response.headers["Cache-Control"] = cache_control
    if not visit.in_address:
        response.headers["Vary"] = "Accept-Language, Cookie"
    if response.status_code == 200 and cache_control != NOT_KEPT:
        response.set_etag(blake2b(response.get_data(), digest_size=8).hexdigest())
        response.make_conditional(request)
    return response
