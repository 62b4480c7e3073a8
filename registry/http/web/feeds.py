"""A registration's changes as an Atom feed (RFC 4287)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from registry.domain.vocabulary import DecisionKind, SubjectKind, Turning
from registry.services.look_up import PublicEntry
from registry.store.public_events import PublicEvent

from .phrases import EVENTS, OTHER_EVENT, SUBJECTS
from .speech import Said, Verbatim, phrase, say
from .visits import Visit

ATOM = "http://www.w3.org/2005/Atom"
TITLE = phrase("Changes to registration %(number)s (%(body)s)")
NOTHING_YET = datetime(2000, 1, 1, tzinfo=UTC)
ADVICE = phrase("See the page for today’s answer.")


def told(event: PublicEvent) -> Said:
    """What happened, in a sentence."""
    subject, _, kind = event.type.partition(".")
    for vocabulary in (DecisionKind, Turning):
        if kind in tuple(vocabulary) and subject in tuple(SubjectKind):
            words = say(SUBJECTS[SubjectKind(subject)])
            return say(EVENTS[vocabulary(kind)], subject=words, day=event.day)
    return say(OTHER_EVENT, day=event.day)


def atom(entry: PublicEntry, changes: Sequence[PublicEvent], visit: Visit) -> bytes:
    """The feed, latest change first; it names the registration by its number, never the person."""
    parts = {"number": Verbatim(entry.number), "body": Verbatim(entry.body.name)}
    of = {"body": entry.body.code, "number": entry.number}
    feed = ET.Element("feed", {"xmlns": ATOM, "xml:lang": visit.language.code})
    _child(feed, "id", f"urn:uuid:{entry.id}")
    _child(feed, "title", visit.speech.text(say(TITLE, **parts)))
    _child(feed, "updated", _instant(changes[0].occurred_at if changes else NOTHING_YET))
    _link(feed, "self", visit.address("changes_feed", **of))
    _link(feed, "alternate", visit.address("check_page", **of))
    _child(ET.SubElement(feed, "author"), "name", visit.speech.text(parts["body"]))
    for event in changes:
        item = ET.SubElement(feed, "entry")
        _child(item, "id", f"urn:uuid:{event.id}")
        _child(item, "title", visit.speech.text(told(event)))
        _child(item, "updated", _instant(event.occurred_at))
        _link(item, "alternate", visit.address("check_page", **of))
        _child(item, "summary", visit.speech.text(say(ADVICE)))
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def _child(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _link(parent: ET.Element, relation: str, address: str) -> None:
    kind = "application/atom+xml" if relation == "self" else "text/html"
    ET.SubElement(parent, "link", {"rel": relation, "type": kind, "href": address})


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
