"""The lapse queue: found, sorted, seen to many at once, left to a colleague, noted on, taken out as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import marshmallow as ma
from flask import Response
from sqlalchemy import Connection
from werkzeug import Response as AnyResponse

from registry import clock
from registry.domain.localtime import local_date
from registry.domain.vocabulary import LapseKind, LapseState
from registry.errors import Invalid
from registry.http.access import current_principal, may_use, require_body
from registry.http.admin.lapses import LONGEST_NAME, LONGEST_NOTE, MOST_AT_ONCE
from registry.http.auditing import sees_withheld, tell_reading
from registry.http.cursors import CursorField, cursor_at, position
from registry.http.fields import Date, QuerySchema, Text, Word
from registry.services import lapses
from registry.services.colleagues import labels_of, list_colleagues, require_colleague
from registry.services.lapses import LapseItem, LapseQuestion
from registry.sheets.writing import csv_text
from registry.store.lapses import MOST_COUNTED, NOBODY, Order, QueueCounts, SortPlace
from registry.store.records import Body

from .bodies import working_body
from .forms import FormSchema, Version
from .pages import Done, Shown, action, done, page, show
from .rendering import here, link

A_PAGE = 50
STRETCH = 400
MOST_EXPORTED = 100_000


class View(StrEnum):
    """Parts of the queue."""

    WAITING = "waiting"
    NEW = "new"
    MINE = "mine"
    SEEN = "seen"
    COMING = "coming"
    OVER = "over"


VIEW_NAMES = {
    View.WAITING: "Waiting",
    View.NEW: "New since yesterday",
    View.MINE: "Left to me",
    View.SEEN: "Acknowledged",
    View.COMING: "Coming",
    View.OVER: "Resolved",
}
EMPTY = {
    View.WAITING: ("Nothing waits.", "Every lapse that has begun was acknowledged or is resolved."),
    View.NEW: ("Nothing new since yesterday.", "No lapse began, and none became known."),
    View.MINE: ("Nothing is left to you.", ""),
    View.SEEN: ("Nothing is acknowledged and still amiss.", ""),
    View.COMING: ("Nothing is coming.", "No term that is known of ends without a renewal."),
    View.OVER: ("Nothing was resolved yet.", ""),
}
TOO_MANY = (
    "Too many to be sorted so.",
    f"More than {lapses.MOST_SORTED:,} match: narrow them by what they are or by their days.",
)
STATES = {
    View.WAITING: LapseState.OPEN,
    View.SEEN: LapseState.ACKNOWLEDGED,
    View.COMING: LapseState.COMING,
    View.OVER: LapseState.RESOLVED,
}
KIND_WORDS = {
    LapseKind.REGISTRATION_LAPSED: "Registration lapsed",
    LapseKind.AUTHORIZATION_LAPSED: "Authorization lapsed",
    LapseKind.AUTHORIZATION_OUTLASTS_REGISTRATION: "Authorized, but not registered",
    LapseKind.REGISTRATION_SUSPENDED: "Authorized, but suspended",
    LapseKind.REFRESHER_DUE: "Refresher due",
    LapseKind.TRAINING_INSUFFICIENT: "Training insufficient",
}
STATE_TONES = {
    LapseState.OPEN: "no",
    LapseState.ACKNOWLEDGED: "soon",
    LapseState.COMING: "quiet",
    LapseState.RESOLVED: "yes",
}
RENEWED = {
    LapseKind.REGISTRATION_LAPSED,
    LapseKind.AUTHORIZATION_LAPSED,
    LapseKind.AUTHORIZATION_OUTLASTS_REGISTRATION,
}
"""What a renewal may mend: of the subject of the lapse, or of the registration beneath it."""
ORDERS = {"since": Order.FIRST_DAY, "number": Order.NUMBER, "name": Order.NAME}
ANYBODY, UNASSIGNED, MYSELF = "", "nobody", "me"


class QueueQuery(QuerySchema):
    """Which part of the queue, and how it is sorted. What is left empty is not asked."""

    view = Word(View, load_default=View.WAITING)
    kind = Word(LapseKind, load_default=None)
    left_to = Text(LONGEST_NAME, load_default=None)
    first = Date(load_default=None)
    last = Date(load_default=None)
    sort = ma.fields.String(
        load_default="since",
        validate=ma.validate.OneOf([f"{sign}{key}" for key in ORDERS for sign in ("", "-")]),
    )
    cursor = CursorField(load_default=None)

    @ma.pre_load
    def without_what_is_empty(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """A filter that is left empty is sent as nothing."""
        return {name: value for name, value in data.items() if value != ""}


@dataclass(frozen=True, slots=True)
class Row:
    """A lapse as a row of the queue.

    :param marks: what must not be overlooked of it, each with a tone.
    """

    item: LapseItem
    what: str
    detail: str
    left_to: str | None
    marks: Sequence[tuple[str, str]]
    notes: int

    @property
    def renewal(self) -> dict[str, Any] | None:
        """Of what a renewal would be recorded, where one may mend it."""
        lapse = self.item.lapse
        if lapse.kind not in RENEWED or self.item.state is LapseState.RESOLVED:
            return None
        of_authorization = lapse.kind is LapseKind.AUTHORIZATION_LAPSED
        return {
            "registration_id": lapse.registration_id,
            "authorization": lapse.authorization_id if of_authorization else None,
            "kind": "renewed",
        }


@page("/lapses", query=QueueQuery)
def console_lapses(tx: Connection, query: dict[str, Any]) -> Shown:
    """The queue of a body."""
    body, at = working_body(tx), clock.now()
    sort, question = query["sort"], _question(body, query)
    order = ORDERS[sort.removeprefix("-")]
    place = position(query, date if order is Order.FIRST_DAY else str, str)
    too_many = order is not Order.FIRST_DAY and lapses.are_too_many_to_sort(tx, question, at=at)
    found: list[tuple[SortPlace, LapseItem]] = []
    if not too_many:
        after = None if place is None else (str(place[0]), place[1])
        down = sort.startswith("-")
        found = lapses.sort_lapses(tx, question, order, after=after, limit=A_PAGE + 1, at=at, down=down)
    items = [item for _, item in found[:A_PAGE]]
    more = cursor_at(found[A_PAGE - 1][0]) if len(found) > A_PAGE else None
    counts = lapses.count_queue(tx, body, at=at)
    return show(
        "lapses.html",
        body=body,
        today=local_date(at, body.zone),
        view=query["view"],
        tabs=[
            (_tab(view, counts), link("console_lapses", view=view.value), view is query["view"])
            for view in View
        ],
        query=query,
        narrowed=any(query[name] is not None for name in ("kind", "left_to", "first", "last")),
        empty=TOO_MANY if too_many else EMPTY[query["view"]],
        too_many=too_many,
        rows=_rows(tx, items),
        counts=counts,
        kinds=[(kind.value, name) for kind, name in KIND_WORDS.items()],
        colleagues=[(one.name, one.label) for one in list_colleagues(tx, body.id, at=at)],
        tones=STATE_TONES,
        longest_note=LONGEST_NOTE,
        may_work=may_use("console_acknowledge_lapses", current_principal()),
        following=None if more is None else here(cursor=more),
        is_first=place is None,
        export={
            name: str(query[name])
            for name in ("view", "kind", "left_to", "first", "last", "sort")
            if query[name]
        },
    )


def _tab(view: View, counts: QueueCounts) -> str:
    known = {View.WAITING: counts.open, View.NEW: counts.new, View.SEEN: counts.acknowledged}
    if view not in known:
        return VIEW_NAMES[view]
    more = "+" if known[view] >= MOST_COUNTED else ""
    return f"{VIEW_NAMES[view]} ({known[view]:,}{more})"


def _question(body: Body, query: Mapping[str, Any]) -> LapseQuestion:
    view, left_to = query["view"], query["left_to"]
    me = current_principal().name
    assigned_to = {UNASSIGNED: NOBODY, MYSELF: me}.get(left_to, left_to)
    return LapseQuestion(
        body.id,
        query["kind"],
        query["first"],
        query["last"],
        STATES.get(view),
        assigned_to=me if view is View.MINE else assigned_to,
        new=view is View.NEW,
    )


def _rows(tx: Connection, items: Sequence[LapseItem]) -> list[Row]:
    labels = labels_of(tx, (item.lapse.assigned_to for item in items))
    noted = lapses.count_notes(tx, items)
    for item in items:
        sees_withheld(item.holder.practitioner_id, withheld=item.holder.withheld)
    return [_row(item, labels, noted.get(item.lapse.id, 0)) for item in items]


def _row(item: LapseItem, labels: Mapping[str, str], notes: int) -> Row:
    marks = [("new", "soon")] if item.is_new else []
    if item.not_reached:
        marks.append(("not reached", "no"))
    if item.holder.withheld:
        marks.append(("withheld", "quiet"))
    to = item.lapse.assigned_to
    left_to = None if to is None else labels.get(to, to)
    return Row(item, KIND_WORDS[item.lapse.kind], detail_of(item), left_to, marks, notes)


def detail_of(item: LapseItem) -> str:
    """What a lapse rests on, in a line."""
    why = item.lapse.why
    parts = []
    if why.get("term_through"):
        parts.append(f"term through {_day(why['term_through'])}")
    if why.get("registration_through"):
        parts.append(f"registration through {_day(why['registration_through'])}")
    if why.get("authorization_through"):
        parts.append(f"authorization through {_day(why['authorization_through'])}")
    if why.get("technique"):
        parts.append(why["technique"].replace("_", " "))
    if why.get("refresher_hours"):
        parts.append(f"{why['refresher_hours']} hours asked")
    if why.get("unmet"):
        parts.append(why["unmet"].replace("_", " "))
    return "; ".join(parts)


def _day(text: str) -> str:
    found = date.fromisoformat(text)
    return f"{found.day} {found:%b %Y}"


class DoSchema(FormSchema):
    """What is to be done to the lapses that are ticked."""

    lapse = ma.fields.List(ma.fields.String(), load_default=list)
    what = ma.fields.String(required=True, validate=ma.validate.OneOf(["acknowledge", "assign"]))
    note = ma.fields.String(load_default=None, validate=ma.validate.Length(max=LONGEST_NOTE))
    to = ma.fields.String(load_default=None, validate=ma.validate.Length(max=LONGEST_NAME))


@action("/lapses/do", form=DoSchema, again=console_lapses)
def console_acknowledge_lapses(tx: Connection, given: dict[str, Any]) -> Shown | Done:
    """Acknowledge, or leave to somebody, all that are ticked, but for what another changed meanwhile."""
    body, at, by = working_body(tx), clock.now(), current_principal().name
    seen = dict(_ticked(given["lapse"]))
    if given["what"] == "assign":
        to = None if given["to"] in (None, UNASSIGNED) else by if given["to"] == MYSELF else given["to"]
        if to not in (None, by):
            require_colleague(tx, body.id, str(to), at=at)
        outcome = lapses.assign_lapses(tx, body.id, seen, to, by=by, at=at)
        told = "left as wished" if to is None else "left to them"
    else:
        outcome = lapses.acknowledge_lapses(tx, body.id, seen, given["note"], by=by, at=at)
        told = "acknowledged"
    if not outcome.missed:
        return done(f"{_count(len(outcome.done))} {told}.", "console_lapses")
    missed = {one.lapse_id: one.detail for one in outcome.missed}
    left = lapses.find_lapses(tx, body.id, sorted(missed), at=at)
    return show(
        "lapses_missed.html",
        said=f"{_count(len(outcome.done))} {told}.",
        count=len(missed),
        rows=[(row, missed[row.item.lapse.id]) for row in _rows(tx, left)],
        tones=STATE_TONES,
        body=body,
    )


def _count(number: int) -> str:
    return "1 lapse" if number == 1 else f"{number} lapses"


def _ticked(values: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Identifiers and versions; each box sends both.

    :raises registry.errors.Invalid: none is ticked, too many, or what is sent is no box's.
    """
    if not values:
        raise Invalid.at("/lapse", "Tick the lapses that it is about.")
    if len(values) > MOST_AT_ONCE:
        raise Invalid.at("/lapse", f"Tick at most {MOST_AT_ONCE} at once.")
    for value in values:
        id_, _, version = value.partition(":")
        if not version.isascii() or not version.isdigit() or len(version) > 9 or len(id_) > 36:
            raise Invalid.at("/lapse", "Tick the lapses that it is about.")
        yield id_, int(version)


@page("/lapses/<id:lapse_id>")
def console_lapse(tx: Connection, lapse_id: str) -> Shown:
    """One lapse, with all that was noted on it."""
    item = _own(lapses.get_lapse(tx, lapse_id, at=clock.now()))
    notes = lapses.list_notes(tx, item)
    names = {note.recorded_by for note in notes} | {item.lapse.acknowledged_by, item.lapse.assigned_to}
    (row,) = _rows(tx, [item])
    return show(
        "lapse.html",
        row=row,
        item=item,
        notes=notes,
        called=labels_of(tx, names),
        colleagues=[(one.name, one.label) for one in list_colleagues(tx, item.body.id, at=clock.now())],
        tones=STATE_TONES,
        longest_note=LONGEST_NOTE,
        may_work=may_use("console_acknowledge_lapses", current_principal()),
    )


def _own(item: LapseItem) -> LapseItem:
    require_body(item.body.id)
    return item


class ChangeSchema(FormSchema):
    """What is to be done to one lapse."""

    version = Version()
    note = ma.fields.String(load_default=None, validate=ma.validate.Length(max=LONGEST_NOTE))
    to = ma.fields.String(load_default=None, validate=ma.validate.Length(max=LONGEST_NAME))


def _seen(tx: Connection, lapse_id: str, given: Mapping[str, Any]) -> LapseItem:
    item = _own(lapses.get_lapse(tx, lapse_id, at=clock.now(), to_change=True))
    return lapses.require_seen(item, given["version"])


@action("/lapses/<id:lapse_id>/acknowledge", form=ChangeSchema, again=console_lapse)
def console_acknowledge_lapse(tx: Connection, lapse_id: str, given: dict[str, Any]) -> Done:
    """Note that it was seen."""
    item, by = _seen(tx, lapse_id, given), current_principal().name
    lapses.acknowledge_lapse(tx, item, given["note"], by=by, at=clock.now())
    return done("It is acknowledged.", "console_lapse", lapse_id=lapse_id)


@action("/lapses/<id:lapse_id>/reopen", form=ChangeSchema, again=console_lapse)
def console_reopen_lapse(tx: Connection, lapse_id: str, given: dict[str, Any]) -> Done:
    """Take an acknowledgement back."""
    item = _seen(tx, lapse_id, given)
    lapses.reopen_lapse(tx, item, by=current_principal().name, at=clock.now())
    return done("It waits again.", "console_lapse", lapse_id=lapse_id)


@action("/lapses/<id:lapse_id>/assign", form=ChangeSchema, again=console_lapse)
def console_assign_lapse(tx: Connection, lapse_id: str, given: dict[str, Any]) -> Done:
    """Leave it to somebody, or to nobody."""
    item, by, at = _seen(tx, lapse_id, given), current_principal().name, clock.now()
    to = by if given["to"] == MYSELF else given["to"]
    if to not in (None, by):
        require_colleague(tx, item.body.id, str(to), at=at)
    lapses.assign_lapse(tx, item, to, by=by, at=at)
    return done("It is left as wished.", "console_lapse", lapse_id=lapse_id)


@action("/lapses/<id:lapse_id>/note", form=ChangeSchema, again=console_lapse)
def console_note_on_lapse(tx: Connection, lapse_id: str, given: dict[str, Any]) -> Done:
    """Write a note about it. Notes of others do not stand against it."""
    item = _own(lapses.get_lapse(tx, lapse_id, at=clock.now(), to_change=True))
    if given["note"] is None:
        raise Invalid.at("/note", "Write what is to be noted.")
    lapses.note_on_lapse(tx, item, given["note"], by=current_principal().name, at=clock.now())
    return done("The note is kept.", "console_lapse", lapse_id=lapse_id)


EXPORTED = (
    *("number", "name", "kind", "state", "since", "until", "days_amiss", "detail"),
    *("assigned_to", "acknowledged_by", "acknowledged_at", "note"),
)


@page("/lapses.csv", query=QueueQuery)
def console_export_lapses(tx: Connection, query: dict[str, Any]) -> AnyResponse:
    """What the queue shows, as a table that no spreadsheet runs as formulas."""
    body = working_body(tx)
    found = list(_every(tx, body, query))
    tell_reading("console_export_lapses", body=body.code, rows=len(found), view=query["view"].value)
    rows = _exported(tx, found)
    headers = {"Content-Disposition": f'attachment; filename="lapses-{body.code}.csv"'}
    text = "".join((*csv_text([EXPORTED]), *csv_text(rows)))
    response = Response(text.encode(), content_type="text/csv; charset=utf-8", headers=headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def _every(tx: Connection, body: Body, query: Mapping[str, Any]) -> Iterator[LapseItem]:
    """What a view of the queue holds, read a stretch at a time."""
    order, down, at = ORDERS[query["sort"].removeprefix("-")], query["sort"].startswith("-"), clock.now()
    question, after, left = _question(body, query), None, MOST_EXPORTED
    if order is not Order.FIRST_DAY and lapses.are_too_many_to_sort(tx, question, at=at):
        order = Order.FIRST_DAY
    while left > 0:
        found = lapses.sort_lapses(tx, question, order, after=after, limit=STRETCH, at=at, down=down)
        yield from (item for _, item in found)
        if len(found) < STRETCH:
            return
        after, left = found[-1][0], left - len(found)


def _exported(tx: Connection, items: Sequence[LapseItem]) -> Iterator[list[str]]:
    labels = labels_of(tx, (n for i in items for n in (i.lapse.assigned_to, i.lapse.acknowledged_by)))
    for item in items:
        lapse = item.lapse
        sees_withheld(item.holder.practitioner_id, withheld=item.holder.withheld)
        told = (
            item.holder.number,
            item.holder.name,
            lapse.kind.value,
            item.state.value,
            lapse.since.isoformat(),
            None if lapse.until is None else lapse.until.isoformat(),
            None if item.days_amiss is None else str(item.days_amiss),
            detail_of(item),
            labels.get(lapse.assigned_to or "", lapse.assigned_to),
            labels.get(lapse.acknowledged_by or "", lapse.acknowledged_by),
            None if lapse.acknowledged_at is None else lapse.acknowledged_at.isoformat(),
            lapse.note,
        )
        yield [cell or "" for cell in told]
