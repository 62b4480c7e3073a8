"""What the console has, as its pages name it: an item for each that exists and that one may use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app, request, url_for

from registry.http.access import current_principal, may_use
from registry.http.sessions import CONSOLE
from registry.services.principals import Principal


@dataclass(frozen=True, slots=True)
class Item:
    """A part of the console. ``key``: with the browser's modifier, it leads there (``accesskey``)."""

    page: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Place:
    """An item with its address, as one page shows it."""

    item: Item
    address: str
    is_here: bool


ITEMS = (
    Item("console_home", "Home", "1"),
    Item("console_search", "Search", "2"),
    Item("console_lapses", "Lapses", "3"),
    Item("console_imports", "Imports", "4"),
    Item("console_rules", "Rules", "5"),
    Item("console_notices", "Notices", "6"),
    Item("console_privacy", "Privacy", "7"),
    Item("console_audit", "Audit", "8"),
)
FALLBACK = "console_sessions_page"


def places(principal: Principal) -> Iterator[Place]:
    """The items that somebody may use."""
    for item in ITEMS:
        if exists(item.page) and may_use(item.page, principal):
            address = url_for(CONSOLE + item.page)
            yield Place(item, address, _is_at(address, item is ITEMS[0]))


def exists(page: str) -> bool:
    """Whether there is a page of this name."""
    return CONSOLE + page in current_app.view_functions


def may(page: str) -> bool:
    """Whether there is a page, or an action, of this name for who asks; whose body's affair it is aside."""
    return exists(page) and may_use(page, current_principal())


def first_page() -> str:
    """Where somebody begins who has signed in."""
    page = ITEMS[0].page
    return url_for(CONSOLE + (page if exists(page) else FALLBACK))


def _is_at(address: str, is_first: bool) -> bool:
    return request.path == address or (not is_first and request.path.startswith(f"{address}/"))
