"""What mail servers report of letters that could not be delivered (RFC 3464): which, and whether for good."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import compat32

MOST_BYTES = 10_000_000
MOST_PARTS = 100
STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
LETTER_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@[^<>@\s]+>")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A letter that did not arrive.

    :param letter_id: as :class:`~registry.delivery.mail.Letter` has it.
    :param status: RFC 3463, such as ``5.1.1``.
    """

    letter_id: str
    status: str


def read_bounce(data: bytes) -> Bounce | None:
    """What a delivery status notification says of a letter of ours; ``None`` where it is none, or no failure.

    A letter that is only late, or that was delivered, is no failure.
    """
    report = message_from_bytes(data[:MOST_BYTES], policy=compat32)
    if report.get_content_type() != "multipart/report":
        return None
    statuses = [status for part in _parts(report) for status in _failures(part)]
    ids = [id_ for part in _parts(report) for id_ in _original(part)]
    return Bounce(ids[0], statuses[0]) if statuses and ids else None


def _parts(report: Message) -> Iterator[Message]:
    for number, part in enumerate(report.walk()):
        if number > MOST_PARTS:
            return
        yield part


def _failures(part: Message) -> Iterator[str]:
    """The statuses of recipients whom a letter did not reach for good."""
    if part.get_content_type() != "message/delivery-status":
        return
    groups = part.get_payload()
    for group in groups if isinstance(groups, list) else []:
        if not isinstance(group, Message) or str(group.get("Action", "")).strip().lower() != "failed":
            continue
        found = STATUS.search(str(group.get("Status", "")))
        yield found[0] if found else "5.0.0"


def _original(part: Message) -> Iterator[str]:
    """The letters whose headers a report gives back."""
    kind = part.get_content_type()
    if kind == "message/rfc822":
        inner = part.get_payload()
        headers = [inner[0]] if isinstance(inner, list) and inner else []
    elif kind == "text/rfc822-headers":
        content = part.get_payload(decode=True)
        headers = [message_from_bytes(content, policy=compat32)] if isinstance(content, bytes) else []
    else:
        return
    for each in headers:
        if isinstance(each, Message):
            found = LETTER_ID.fullmatch(str(each.get("Message-ID", "")).strip())
            if found:
                yield found[1]
