"""Mapping profiles: those that come with the registry, those that a body keeps here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from importlib.resources import files
from typing import Any

from sqlalchemy import Connection

from registry.errors import Invalid, NotFound
from registry.sheets.profiles import Profile, read_profile
from registry.store import imports as store
from registry.store.imports import KeptProfile
from registry.store.records import Body, find_body

from .bodies import BodyFacts, create_body, get_body

FOLDER = files("registry") / "profiles"


def built_in_names() -> list[str]:
    """The profiles that come with the registry."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in FOLDER.iterdir() if entry.name.endswith(".toml")
    )


def built_in(name: str) -> dict[str, Any] | None:
    """The document of a profile that comes with the registry, or ``None``."""
    if name not in built_in_names():
        return None
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def parse_profile(text: str) -> dict[str, Any]:
    """A profile's document from TOML.

    :raises registry.errors.Invalid: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"The profile is not TOML: {error}.") from error


def choose_profile(connection: Connection, body_id: str | None, name: str) -> dict[str, Any]:
    """The document of a profile: the body's own of that name, else the one that comes with the registry.

    :raises registry.errors.NotFound: there is neither.
    """
    own = None if body_id is None else store.find_profile(connection, body_id, name)
    document = built_in(name) if own is None else own.document
    if document is None:
        raise NotFound(f"No profile is called {name}. There are: {', '.join(built_in_names())}.")
    return document


def keep_profile(
    tx: Connection, body: Body, name: str, document: Mapping[str, Any], *, by: str, at: datetime
) -> KeptProfile:
    """Keep a profile for a body, in the place of the one of that name.

    :raises registry.errors.Invalid: it cannot be used.
    """
    read_profile(document)
    store.put_profile(tx, body.id, name, document, by=by, at=at)
    return get_profile(tx, body, name)


def get_profile(connection: Connection, body: Body, name: str) -> KeptProfile:
    """A profile that a body keeps.

    :raises registry.errors.NotFound: there is none.
    """
    found = store.find_profile(connection, body.id, name)
    if found is None:
        raise NotFound(f"{body.name} keeps no profile called {name}.")
    return found


def body_for(tx: Connection, code: str | None, profile: Profile, *, at: datetime) -> Body:
    """The body whose register a file is: as named, or as the profile says; created where that tells of it.

    :raises registry.errors.Invalid: neither names one.
    :raises registry.errors.NotFound: the one named is not kept here, and the profile does not tell of it.
    """
    facts = profile.body
    wanted = code or (None if facts is None else facts.code)
    if wanted is None:
        raise Invalid("Say whose register it is: the profile names no body.")
    found = find_body(tx, wanted)
    if found is None and facts is not None and facts.code == wanted:
        return create_body(tx, BodyFacts(**asdict(facts)), at=at)
    return get_body(tx, wanted)
