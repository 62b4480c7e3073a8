"""A mail server that keeps what it takes: for those who send to it over a socket."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Postbox:
    """What was taken, and what is answered.

    :param at_rcpt: the answer to a recipient; ``None`` to take them.
    :param at_data: the answer to a letter, by its recipient; ``None`` to take it.
    """

    port: int = 0
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    at_rcpt: Callable[[str], str | None] = lambda _: None
    at_data: Callable[[str], str | None] = lambda _: None
    sessions: list[tuple[bool, bool]] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - as aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        answer = self.at_rcpt(address)
        if answer is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - as aiosmtpd names it
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server
        self.sessions.append((session.ssl is not None, bool(session.authenticated)))
        (to,) = envelope.rcpt_tos
        answer = self.at_data(to)
        if answer is not None:
            return answer
        content = cast(bytes, envelope.content)
        self.taken.append((to, message_from_bytes(content, policy=default)))
        return "250 OK"

    @property
    def ids(self) -> list[str]:
        return [str(message["Message-ID"]) for _, message in self.taken]

    def texts(self) -> list[str]:
        return [plain(message) for _, message in self.taken]


def plain(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    return text


def html(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    text: str = part.get_content()
    return text


@contextmanager
def receiving(
    tls: ssl.SSLContext | None = None, *, implicit: bool = False, login: tuple[str, str] | None = None
) -> Iterator[Postbox]:
    """A server on a port of its own."""
    box = Postbox()
    options: dict[str, Any] = {}
    if login is not None:
        known = LoginPassword(login[0].encode(), login[1].encode())
        options["authenticator"] = lambda *given: AuthResult(success=given[-1] == known)
        options["auth_required"] = True
    if tls is not None and not implicit:
        options |= {"tls_context": tls, "require_starttls": True}
    ready = Controller(
        box,
        hostname="127.0.0.1",
        port=_free_port(),
        ssl_context=tls if implicit else None,
        enable_SMTPUTF8=True,
        ready_timeout=30,
        **options,
    )
    ready.start()
    box.port = ready.port
    try:
        yield box
    finally:
        ready.stop()


_ports = threading.Lock()


def _free_port() -> int:
    with _ports, socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
