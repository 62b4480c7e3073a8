"""An event as the feed shows it: what is public of it, by name."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from registry.domain.vocabulary import Outcome, Standing, Technique
from registry.domain.webhooks import DisabledBecause
from registry.http.answers import to_json
from registry.http.disclosure import Value, shown_instant
from registry.http.fields import (
    BodyCode,
    Date,
    Flag,
    Id,
    Instant,
    Integer,
    List,
    Nested,
    Patterned,
    RegistrationNumber,
    ResponseSchema,
    Text,
    Word,
)
from registry.http.schemas import NAME
from registry.services.feed import FeedEvent, cursor_of

LONGEST_CURSOR = 100


class FeedCursor(Patterned):
    """A place in the feed; it stays good for ever."""

    wanted = "a cursor exactly as the feed gave it"
    shape = re.compile("[A-Za-z0-9_-]{1,100}")
    longest: int | None = LONGEST_CURSOR
    example = "MS4xMDQyLjAxODkwYTVkLWFjOTYtNzc0Yi1iY2NlLWIzMDIwOTlhODA1Nw"


class ChangedAnswerSchema(ResponseSchema):
    """What was answered to "may this person use the technique independently?" on a day, and what is now."""

    technique = Word(Technique)
    on = Date()
    was = Word(Outcome)
    is_ = Word(Outcome, data_key="is")


class EventLinksSchema(ResponseSchema):
    """Where to read what holds now."""

    registration = Text(NAME)
    verification = Text(NAME)


class EventSchema(ResponseSchema):
    """Something that happened to a registration or an authorization, told once and never changed.

    Of what time alone brings: `lapsed`, `grace_begun`, `suspension_over`, `term_begun` and others on their
    day, `expiring` 60, 30 and 7 days ahead. `webhook.disabled` concerns no body, and is told to the owner of
    the webhook alone. All other types are named after a decision.
    """

    id = Id()
    cursor = FeedCursor(metadata={"description": "The place behind this event."})
    type = Text(
        NAME,
        metadata={
            "description": "What happened: of the words that a webhook's `types` take, or one that is added"
            " later.",
            "examples": ["authorization.suspended"],
        },
    )
    occurred_at = Instant()
    body = BodyCode(allow_none=True)
    number = RegistrationNumber(allow_none=True)
    was_number = RegistrationNumber(
        allow_none=True, metadata={"description": "The number that `number` corrects."}
    )
    registration_id = Id(allow_none=True)
    authorization_id = Id(allow_none=True)
    decision_id = Id(allow_none=True)
    voids = Id(allow_none=True, metadata={"description": "The decision that was taken back."})
    day = Date(
        metadata={"description": "The local day from which it has effect; in UTC where it concerns no body."}
    )
    through = Date(allow_none=True, metadata={"description": "The last day of the term or suspension."})
    days_left = Integer(0, 366, allow_none=True)
    was = Word(Standing, allow_none=True, metadata={"description": "How it stood, on the day it was told."})
    is_ = Word(Standing, allow_none=True, data_key="is")
    answers = List(
        Nested(ChangedAnswerSchema),
        metadata={"description": "The answers that changed: on the day of effect, and on that of recording."},
    )
    corrects_the_past = Flag(metadata={"description": "Whether answers for days gone by may have changed."})
    webhook_id = Id(allow_none=True, metadata={"description": "Of `webhook.disabled`: which of yours."})
    because = Word(
        DisabledBecause, allow_none=True, metadata={"description": "Of `webhook.disabled`: why it is."}
    )
    links = Nested(EventLinksSchema, allow_none=True)


class FeedPageSchema(ResponseSchema):
    """Events in order, and the cursor to go on from: it is given even where there are none."""

    items = List(Nested(EventSchema))
    next = FeedCursor()
    more = Flag(metadata={"description": "Whether there are more already; else wait before asking again."})


def shown_event(event: FeedEvent) -> Value:
    """An event as JSON values."""
    told = event.data
    number = told.get("number")
    return {
        "id": event.id,
        "cursor": cursor_of(event.place),
        "type": event.type,
        "occurred_at": shown_instant(event.occurred_at),
        "body": event.body,
        "number": number,
        "was_number": told.get("was_number"),
        "registration_id": event.registration_id,
        "authorization_id": event.authorization_id,
        "decision_id": event.decision_id,
        "voids": told.get("voids"),
        "day": event.day.isoformat(),
        "through": told.get("through"),
        "days_left": told.get("days_left"),
        "was": told.get("was"),
        "is": told.get("is"),
        "answers": [_shown_answer(answer) for answer in told.get("answers", ())],
        "corrects_the_past": told.get("corrects_the_past", False),
        "webhook_id": told.get("webhook"),
        "because": told.get("because"),
        "links": None if event.body is None or number is None else _links(event.body, number),
    }


def event_json(event: FeedEvent) -> str:
    """An event as JSON."""
    return to_json(shown_event(event)).decode()


def _shown_answer(answer: dict[str, Any]) -> Value:
    return {name: answer[name] for name in ("technique", "on", "was", "is")}


def _links(body: str, number: str) -> Value:
    registration = f"/v1/bodies/{body}/registrations/{quote(number, safe='')}"
    return {"registration": registration, "verification": f"{registration}/verification"}
