"""The feed of changes: page by page, waiting for the next event, or as a stream of server-sent events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, request, stream_with_context

from registry.errors import Invalid, Unavailable
from registry.http.access import current_principal
from registry.http.answers import to_json
from registry.http.authentication import still_stands_for
from registry.http.fields import Integer, QuerySchema, ResponseSchema, RosterName
from registry.http.operations import Blueprint
from registry.http.problems import Unauthenticated
from registry.http.requests import read_query
from registry.services import rosters
from registry.services.feed import START, FeedPage, Place, cursor_of, newest_place, place_of, read_feed
from registry.services.principals import Principal
from registry.store.database import reading

from .events import FeedCursor, FeedPageSchema, event_json, shown_event
from .waiting import feed_watch, place_to_wait

blueprint = Blueprint("changes", __name__, url_prefix="/v1/changes", description="The feed of changes")

LONGEST_WAIT = 60
ASK_AGAIN_AFTER = 2
"""Seconds after which to ask again, where no place to wait was free."""
STREAM_SECONDS = 300.0
HEARTBEAT_SECONDS = 15.0
STREAMED_AT_ONCE = 200
RECONNECT_MILLISECONDS = 2000
NOW = "now"
LAST_EVENT_ID = "Last-Event-ID"


class StreamQuerySchema(QuerySchema):
    """Where a stream begins, and whom it is about."""

    after = FeedCursor(
        metadata={
            "description": "Behind which place: a `cursor` or `next`; `now` for what is to come; the"
            " beginning where it is left out."
        }
    )
    roster = RosterName(metadata={"description": "Only what concerns the members of this roster of yours."})


class ChangesQuerySchema(StreamQuerySchema):
    """Which events."""

    limit = Integer(1, 1000, load_default=100, metadata={"description": "How many at most."})
    wait = Integer(
        0,
        LONGEST_WAIT,
        load_default=0,
        metadata={"description": "Where there are none yet, wait for so many seconds at most."},
    )


class StreamedEventsSchema(ResponseSchema):
    """`text/event-stream`: each event's `data` is an Event, its `id` the cursor behind it."""


@dataclass(frozen=True, slots=True)
class Following:
    """Who follows what, from where on."""

    reader: Principal
    after: Place
    roster_id: str | None
    limit: int

    def may_go_on(self) -> bool:
        """Whether the key or the token is still good: it may have ended while its holder waited."""
        return still_stands_for(self.reader, request.environ)

    def read(self) -> FeedPage:
        """What there is by now. Holds a connection only meanwhile."""
        with reading() as connection:
            return read_feed(
                connection,
                self.after,
                limit=self.limit,
                reader_id=self.reader.id,
                roster_id=self.roster_id,
            )


@blueprint.operation("GET", "", query=ChangesQuerySchema, answer=FeedPageSchema, raw=True)
def list_changes() -> Response:
    """List what changed after a cursor, in the one order of all events.

    Go on with `next`, which is given even where there are no events; a cursor stays good for ever. With
    `wait` the answer comes as soon as there is an event. Few requests may wait at a time: where no place is
    free the answer comes at once, with `Retry-After`.
    """
    query = read_query(CHANGES_QUERY)
    following = _following(query, query.get("after"), query["limit"])
    page = following.read()
    retry_after = None
    if not page.events and query["wait"]:
        with place_to_wait(following.reader.id) as free:
            if free:
                page = _wait(following, page, query["wait"])
            else:
                retry_after = ASK_AGAIN_AFTER
    return _answer(page, retry_after)


def _wait(following: Following, page: FeedPage, seconds: int) -> FeedPage:
    until = time.monotonic() + seconds
    while not page.events and (left := _left(until)) > 0:
        if feed_watch().wait_beyond(page.next.seq, left):
            if not following.may_go_on():
                raise Unauthenticated("What the request came with has ended while it waited.")
            page = replace(following, after=page.next).read()
    return page


def _answer(page: FeedPage, retry_after: int | None) -> Response:
    items = [shown_event(event) for event in page.events]
    shown = {"items": items, "next": cursor_of(page.next), "more": page.more}
    response = Response(to_json(shown), content_type="application/json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


@blueprint.operation(
    "GET",
    "/stream",
    query=StreamQuerySchema,
    answer=StreamedEventsSchema,
    answer_type="text/event-stream",
    raw=True,
)
def stream_changes() -> Response:
    """Stream what changes, as server-sent events.

    `Last-Event-ID` goes before `after`. A stream ends after five minutes; go on with the last `id`, as an
    EventSource does by itself. It ends when the key or token does. Where too many follow already, or half of
    them with this key: 503, with `Retry-After`.
    """
    query = read_query(STREAM_QUERY)
    last = request.headers.get(LAST_EVENT_ID) or query.get("after")
    following = _following(query, last, STREAMED_AT_ONCE)
    with ExitStack() as stack:
        if not stack.enter_context(place_to_wait(following.reader.id)):
            raise Unavailable("Too many follow the feed at this moment; try again, or ask page by page.")
        response = Response(stream_with_context(_streamed(following)), content_type="text/event-stream")
        response.call_on_close(stack.pop_all().close)
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _streamed(following: Following) -> Iterator[str]:
    until = time.monotonic() + STREAM_SECONDS
    yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
    while (left := _left(until)) > 0 and following.may_go_on():
        page = following.read()
        following = replace(following, after=page.next)
        for event in page.events:
            yield f"id: {cursor_of(event.place)}\ndata: {event_json(event)}\n\n"
        if not page.more:
            # An id without data is kept by the client, and dispatched to nobody.
            yield f": here\nid: {cursor_of(page.next)}\n\n"
            feed_watch().wait_beyond(page.next.seq, min(left, HEARTBEAT_SECONDS))


def _left(until: float) -> float:
    """Seconds for which somebody may wait on: none where the process is about to end."""
    return 0.0 if feed_watch().ended else until - time.monotonic()


def _following(query: dict[str, Any], after: str | None, limit: int) -> Following:
    name, roster_id, reader = query.get("roster"), None, current_principal()
    with reading() as connection:
        if name is not None:
            roster_id = rosters.find_roster(connection, reader.id, name).id
        place = newest_place(connection) if after == NOW else _place(after)
    return Following(reader, place, roster_id, limit)


def _place(after: str | None) -> Place:
    if after is None:
        return START
    try:
        return place_of(after)
    except ValueError as error:
        detail = f"Give {FeedCursor.wanted}, or {NOW}."
        raise Invalid(f"after: {detail}", [{"parameter": "after", "detail": detail}]) from error


CHANGES_QUERY = ChangesQuerySchema()
STREAM_QUERY = StreamQuerySchema()
