"""One request for a page: in which language, and where its links lead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import current_app, g, request, url_for
from werkzeug.exceptions import NotFound

from registry.settings import Settings

from .languages import LANGUAGES, Language, choose_language
from .speech import Speech, speech

COOKIE = "language"
LONGEST = 1000
"""Characters of an address to come back to."""
PLAIN, IN_LANGUAGE = "web", "web_in"
"""The names under which the pages are registered: with the language left open, and with it in the address."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is spoken to, and how.

    :param in_address: whether the address names the language; then the links on the page do as well.
    """

    language: Language
    in_address: bool

    @property
    def speech(self) -> Speech:
        """The voice of the visit's language."""
        return speech(self.language)

    def link(self, page: str, **values: Any) -> str:
        """The path of a page, in the language of the address where it names one."""
        if self.in_address:
            return url_for(f"{IN_LANGUAGE}.{page}", language=self.language.code, **values)
        return url_for(f"{PLAIN}.{page}", **values)

    def address(self, page: str, **values: Any) -> str:
        """The whole address of a page under the public name of the service, with no language in it."""
        return public_url() + url_for(f"{PLAIN}.{page}", **values)

    def switches(self) -> Iterator[tuple[Language, str]]:
        """The languages, each with the path that changes to it and comes back to this page."""
        here = request.full_path.removesuffix("?")
        here = here if len(here) <= LONGEST else request.path[:LONGEST]
        if self.in_address:
            here = here.removeprefix(f"/{self.language.code}") or "/"
        for language in LANGUAGES.values():
            query = urlencode({"to": here})
            yield language, f"{url_for(f'{PLAIN}.choose_page_language', code=language.code)}?{query}"


def public_url() -> str:
    """Scheme and host of the service as the settings name them: a request may name any."""
    settings: Settings = current_app.extensions["registry.settings"]
    return settings.public_url


def language_of_address(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Takes the language out of the address, so that no view is given it."""
    g.language_in_address = None
    if values is not None and request.blueprint == IN_LANGUAGE:
        g.language_in_address = values.pop("language")
        if g.language_in_address not in LANGUAGES:
            raise NotFound


def current_visit() -> Visit:
    """The visit of this request, on whatever page."""
    in_address = g.get("language_in_address")
    cookie = request.cookies.get(COOKIE)
    return Visit(choose_language(in_address, cookie, request.accept_languages), in_address is not None)
