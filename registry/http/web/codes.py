"""What a clinic shows of a registration: the code that leads to its page, the badge, the feed of changes."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import segno
from flask import Response, request
from werkzeug import Response as AnyResponse

from registry import clock
from registry.domain.vocabulary import Technique
from registry.errors import Invalid
from registry.http.answers import cache_control
from registry.services import histories, look_up
from registry.store.database import age_of_request, public_reading

from .asking import read_arguments
from .check import answer_today
from .feeds import atom
from .phrases import BADGE, SIGNS, TECHNIQUES
from .rendering import FOR_AN_HOUR, in_language, render
from .speech import say
from .visits import current_visit

ERROR_LEVEL = "m"
ROOM = 36
"""Characters in one line of a badge."""
BORDER = 4
"""Modules of quiet zone, as ISO/IEC 18004 asks."""


def qr_svg(body: str, number: str) -> AnyResponse:
    """The code as a drawing."""
    return _code(body, number, "svg", "image/svg+xml")


def qr_png(body: str, number: str) -> AnyResponse:
    """The code as a picture."""
    return _code(body, number, "png", "image/png")


def _code(body: str, number: str, kind: str, content_type: str) -> AnyResponse:
    with public_reading() as connection:
        found = look_up.find(connection, body, number)
    entry = look_up.get_entry(found, number, on=None, at=clock.now())
    address = current_visit().address("check_page", body=entry.body.code, number=entry.number)
    drawing = BytesIO()
    segno.make(address, error=ERROR_LEVEL, micro=False).save(
        drawing, kind=kind, scale=8, border=BORDER, dark="#000", light="#fff"
    )
    response = Response(drawing.getvalue(), content_type=content_type)
    response.headers["Cache-Control"] = FOR_AN_HOUR
    response.add_etag()
    return response.make_conditional(request)


def badge_svg(body: str, number: str) -> Response:
    """Today's answer as a small picture, for other sites to show. It is made when it is asked for.

    :raises registry.errors.Invalid: ``technique`` is none; a badge for every technique would mislead.
    """
    asked = read_arguments()
    technique = asked.technique()
    if asked.errors:
        raise Invalid("technique: no such technique")
    verification, spoken = answer_today(body, number, technique, clock.now())
    tone = spoken.tone
    about = "" if len(spoken.techniques) == len(Technique) else _briefly(spoken.techniques)
    context = {"verification": verification, "spoken": spoken, "about": about, "tone": tone}
    context |= {"words": say(BADGE[tone]), "sign": SIGNS[tone]}
    seconds = look_up.seconds_kept(verification.at, verification.body.zone, today=True, age=age_of_request())
    response = Response(render("badge.svg", context), content_type="image/svg+xml")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return in_language(response, cache_control(seconds))


def _briefly(techniques: Sequence[Technique]) -> str:
    """As many of the techniques as a badge has room for."""
    voice = current_visit().speech
    names = [voice.text(say(TECHNIQUES[technique])) for technique in techniques]
    shown = [name for at, name in enumerate(names) if len(", ".join(names[: at + 1])) <= ROOM] or names[:1]
    return ", ".join(shown) + (", …" if len(shown) < len(names) else "")


def changes_feed(body: str, number: str) -> Response:
    """What happens to a registration, for feed readers (RFC 4287)."""
    at = clock.now()
    with public_reading() as connection:
        found = look_up.find(connection, body, number)
        entry = look_up.get_entry(found, number, on=None, at=at)
        changes = histories.changes_of(connection, entry.id)
    response = Response(atom(entry, changes, current_visit()), content_type="application/atom+xml")
    return in_language(response, cache_control(look_up.longest_kept(age_of_request())))
