"""Rosters: a clinic's staff, put down once and asked about as one. Nobody but their owner sees them.

That some roster of a clinic names a registration is told to the staff of the body that keeps it, before they
decide about it; not which, nor who else is on it.
"""

from __future__ import annotations

from typing import Any

from flask import Response, request
from sqlalchemy import Connection

from registry import clock
from registry.http.access import current_principal
from registry.http.answers import Answer, etag_of, if_match_version, not_modified, render
from registry.http.auditing import tell_change
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.fields import (
    BodyCode,
    Instant,
    Integer,
    List,
    Nested,
    RegistrationNumber,
    RequestSchema,
    ResponseSchema,
    RosterName,
)
from registry.http.operations import Blueprint
from registry.http.problems import UnsupportedMedia
from registry.http.requests import load, read_json
from registry.services import rosters
from registry.store.database import reading, writing
from registry.store.rosters import Member, Roster
from registry.store.rosters import list_rosters as list_kept

from .questions import MOST_BYTES
from .tables import COLUMNS, CSV, read_members, table_response, wants_table

blueprint = Blueprint("rosters", __name__, url_prefix="/v1/rosters", description="Rosters of clinics")


class MemberSchema(RequestSchema):
    """Someone on a roster."""

    body = BodyCode(required=True)
    number = RegistrationNumber(required=True)


class RosterMembersSchema(RequestSchema):
    """Who is to be on a roster: a set, in any order."""

    members = List(Nested(MemberSchema), most=rosters.MOST_MEMBERS, required=True)


class RosterMemberSchema(ResponseSchema):
    """Someone on a roster, whether the body ever registered the number or not."""

    body = BodyCode()
    number = RegistrationNumber()


class RosterSummarySchema(ResponseSchema):
    """A roster, and how many are on it."""

    name = RosterName()
    size = Integer(0, rosters.MOST_MEMBERS)
    created_at = Instant()
    changed_at = Instant()


class RosterSchema(RosterSummarySchema):
    """A roster."""

    members = List(Nested(RosterMemberSchema), most=rosters.MOST_MEMBERS)


MEMBERS, ROSTER = RosterMembersSchema(), RosterSchema()


@blueprint.operation("GET", "", query=PageQuery, answer=page_schema(RosterSummarySchema))
def list_rosters(tx: Connection, query: dict[str, Any]) -> Answer:
    """List your rosters, by name."""
    after = position(query, str)
    name = None if after is None else str(after[0])
    found = list_kept(tx, _owner(), after=name, limit=query["limit"] + 1)
    return page_of(query, [_summary(roster) for roster in found], lambda shown: (shown["name"],))


@blueprint.operation(
    "PUT",
    "/<roster:name>",
    body=RosterMembersSchema,
    answer=RosterSchema,
    raw=True,
    may_change_version=True,
    other_answers=((201, "application/json"),),
)
def put_roster(name: str) -> Response:
    """Keep a roster, or replace who is on it.

    To replace one, send `If-Match`. Also takes `text/csv` with the columns body and number.

    Nobody else sees your rosters. The staff of a body that registered somebody on one of them see, by the
    label of your key, that you follow this registration, before they decide about it.
    """
    members, at = _given_members(), clock.now()
    with writing() as tx:
        known = rosters.find_or_none(tx, _owner(), name)
        version = None if known is None and "If-Match" not in request.headers else if_match_version()
        roster, is_new = rosters.put_roster(tx, _owner(), name, members, version=version, at=at)
        shown = Answer(_shown(tx, roster), version=roster.version, location=request.path if is_new else None)
        tell_change(tx, "put_roster", members=len(members))
        return render(shown, ROSTER, 201 if is_new else 200)


def _given_members() -> list[Member]:
    request.max_content_length = MOST_BYTES
    if request.mimetype == CSV:
        given = load(MEMBERS, {"members": read_members()}, "json")
    elif request.is_json:
        given = read_json(MEMBERS)
    else:
        raise UnsupportedMedia(f"Send JSON or CSV, with Content-Type: application/json or {CSV}.")
    return [Member(**member) for member in given["members"]]


@blueprint.operation(
    "GET", "/<roster:name>", answer=RosterSchema, raw=True, other_answers=((200, "text/csv"),)
)
def get_roster(name: str) -> Response:
    """Show one of your rosters. With `Accept: text/csv` as a table, which a PUT takes back."""
    with reading() as connection:
        roster = rosters.find_roster(connection, _owner(), name)
        shown = _shown(connection, roster)
    response = render(Answer(shown, version=roster.version), ROSTER, 200)
    if wants_table():
        rows = ((member["body"], member["number"]) for member in shown["members"])
        response = table_response(COLUMNS, rows, name)
        response.headers["ETag"] = etag_of(response.get_data(), roster.version)
    response.headers["Vary"] = "Accept"
    return not_modified(response)


@blueprint.operation("DELETE", "/<roster:name>", changes_version=True)
def delete_roster(tx: Connection, name: str, version: int) -> None:
    """Delete one of your rosters."""
    roster = rosters.find_roster(tx, _owner(), name)
    rosters.remove_roster(tx, roster, version=version, at=clock.now())


def _owner() -> str:
    return current_principal().id


def _summary(roster: Roster) -> dict[str, Any]:
    return {
        "name": roster.name,
        "size": roster.members,
        "created_at": roster.created_at,
        "changed_at": roster.changed_at,
    }


def _shown(connection: Connection, roster: Roster) -> dict[str, Any]:
    members = rosters.members_of(connection, roster)
    return {**_summary(roster), "members": [{"body": m.body, "number": m.number} for m in members]}
