"""The audit: who saw or did what, when, from where; whether its chain holds; as a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection
from werkzeug import Response

from registry.domain.audit_chain import AuditEntry
from registry.domain.localtime import zone
from registry.http.access import ACCESS, current_principal, may_use, own_body
from registry.http.audit_entries import exported
from registry.http.auditing import SHOWN_WITHHELD, tell_reading
from registry.http.fields import Date, Integer, QuerySchema, Text, Word
from registry.http.sessions import STOLEN
from registry.services import audit
from registry.services.principals import OF_A_BODY
from registry.store import audit as store
from registry.store.audit import Wanted
from registry.store.database import snapshot
from registry.store.principals import labels_of

from .bodies import working_body
from .pages import Shown, action, page, show
from .rendering import here, words
from .signing_in import SIGN_IN_FAILED, SIGNED_IN

ENTRIES = 50
"""On a page."""
MOST_VERIFIED = 50_000
"""Entries that are walked along while somebody waits; more is for the command."""


class Matter(StrEnum):
    """What somebody looks for in the audit."""

    SIGN_INS = "sign_ins"
    DECISIONS = "decisions"
    PEOPLE = "people"
    IMPORTS = "imports"
    EXPORTS = "exports"
    RULES = "rules"
    KEYS = "keys"
    WITHHELD = "withheld"
    AUDIT = "audit"


NAMES: Mapping[Matter, str] = {
    Matter.SIGN_INS: "Sign-ins and sessions",
    Matter.DECISIONS: "Registrations and decisions",
    Matter.PEOPLE: "People and merging",
    Matter.IMPORTS: "Imports",
    Matter.EXPORTS: "Exports",
    Matter.RULES: "Rules and bodies",
    Matter.KEYS: "Keys and holders",
    Matter.WITHHELD: "Withheld records that were seen",
    Matter.AUDIT: "Looking at the audit",
}
KINDS: Mapping[Matter, re.Pattern[str]] = {
    Matter.SIGN_INS: re.compile("sign|session|console_link|console_use_link"),
    Matter.DECISIONS: re.compile("deci|grant|void|registration"),
    Matter.PEOPLE: re.compile("practitioner|person|people|merge|erase|withhold|release"),
    Matter.IMPORTS: re.compile("import"),
    Matter.EXPORTS: re.compile("export"),
    Matter.RULES: re.compile("rules|_body$|bodies"),
    Matter.KEYS: re.compile("key|holder|console_link"),
    Matter.WITHHELD: re.compile(SHOWN_WITHHELD),
    Matter.AUDIT: re.compile("audit"),
}
NO_OPERATIONS = (SIGNED_IN, SIGN_IN_FAILED, STOLEN, SHOWN_WITHHELD, "make_console_link", audit.VOUCHED)
"""Actions that entries name, and that are no operation of the API or the console."""


class AuditQuery(QuerySchema):
    """Which entries."""

    matter = Word(Matter, load_default=None)
    principal = Text(200, load_default=None)
    action = Text(100, load_default=None)
    since = Date(load_default=None)
    until = Date(load_default=None)
    before = Integer(1, load_default=None)


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the page shows it.

    :param who: what the principal is called, where that is known.
    """

    entry: AuditEntry
    who: str | None
    details: tuple[tuple[str, str], ...]

    @property
    def role(self) -> str:
        """Of the principal."""
        return self.entry.happening.principal.partition(":")[0]


@page("/audit", query=AuditQuery)
def console_audit(tx: Connection, query: dict[str, Any]) -> Shown:
    """The entries, the newest first. Who reads them is told in them, too."""
    wanted, place = _wanted(tx, query)
    tell_reading("console_audit")
    found = store.entries_before(tx, query["before"], ENTRIES + 1, wanted)
    head = store.newest(tx)
    return show(
        "audit.html",
        lines=_lines(tx, found[:ENTRIES]),
        older=here(before=found[ENTRIES - 1].seq) if len(found) > ENTRIES else None,
        query=query,
        is_narrowed=any(value is not None for name, value in query.items() if name != "before"),
        matters=[(matter, NAMES[matter]) for matter in Matter],
        zone=place,
        checkpoint=f"{head.seq}:{head.hash}" if head.seq else None,
        may_export=may_use("console_export_audit", current_principal()),
        verified=None,
    )


@action("/audit/verify", reads_only=True)
def console_verify_audit(tx: Connection) -> Shown:
    """Whether the chain holds, from its first entry to its newest."""
    own_body(None)
    length = store.newest(tx).seq
    if length > MOST_VERIFIED:
        return show("audit_verified.html", verified=None, length=length, most=MOST_VERIFIED)
    with snapshot() as connection:
        verified = audit.verify(connection)
    return show("audit_verified.html", verified=verified, length=length, most=MOST_VERIFIED)


@page("/audit/entries.ndjson", query=AuditQuery)
def console_export_audit(tx: Connection, query: dict[str, Any]) -> Response:
    """The entries as a file, the oldest first."""
    wanted, _ = _wanted(tx, query)
    tell_reading("console_export_audit")
    return exported(wanted)


def _wanted(connection: Connection, query: Mapping[str, Any]) -> tuple[Wanted, str]:
    """What is asked for, and the zone in which its days are meant."""
    place = "UTC"
    if current_principal().role in OF_A_BODY:
        place = working_body(connection).zone
    since, until = query["since"], query["until"]
    wanted = Wanted(
        own_body(None),
        query["principal"],
        query["action"],
        None if since is None else datetime.combine(since, time(), zone(place)),
        None if until is None else datetime.combine(until + timedelta(days=1), time(), zone(place)),
        () if query["matter"] is None else tuple(_actions(KINDS[query["matter"]])),
    )
    return wanted, place


def _actions(kind: re.Pattern[str]) -> list[str]:
    return [name for name in (*ACCESS, *NO_OPERATIONS) if kind.search(name)]


def _lines(connection: Connection, entries: list[AuditEntry]) -> list[Line]:
    known = labels_of(connection, {each.happening.principal.partition(":")[2] for each in entries})
    return [
        Line(
            entry,
            known.get(entry.happening.principal.partition(":")[2]),
            tuple(_details(entry.happening.details or {})),
        )
        for entry in entries
    ]


def _details(details: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Names and values, what is nested beside the rest."""
    for name, value in details.items():
        if isinstance(value, Mapping):
            yield from _details(value)
        elif isinstance(value, list):
            yield words(name), ", ".join(map(str, value))
        else:
            yield words(name), str(value)
