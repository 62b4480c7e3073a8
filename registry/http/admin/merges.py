"""Merges of duplicate records of one person, and their reversal."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import Connection

from registry import clock
from registry.http.access import current_principal
from registry.http.answers import Answer
from registry.http.operations import Blueprint
from registry.services import merges, people
from registry.store.merges import Merge

from .asked import require_merge_say, require_say, require_version
from .people_schemas import MergeRequestSchema, MergeSchema

blueprint = Blueprint("merges", __name__, url_prefix="/v1/admin", description="Merges of duplicate records")


@blueprint.operation(
    "POST",
    "/practitioners/<id:practitioner_id>/merge",
    body=MergeRequestSchema,
    answer=MergeSchema,
    status=201,
    changes_version=True,
)
def merge_practitioners(tx: Connection, practitioner_id: str, given: dict[str, Any], version: int) -> Answer:
    """Join a duplicate to this record of the same person.

    The registrations, trainings and names of the duplicate go to this record; registrations stay apart. The
    identifier of the duplicate leads to this record from now on. Send the version of this record.
    """
    require_merge_say(tx, practitioner_id, given["duplicate"])
    kept = people.get_person(tx, practitioner_id)
    require_version(kept, version)
    by, at = current_principal().name, clock.now()
    merge = merges.merge_people(tx, kept, given["duplicate"], reason=given["reason"], by=by, at=at)
    return Answer(merge, location=url_for("merges.get_merge", merge_id=merge.id))


@blueprint.operation("GET", "/merges/<id:merge_id>", answer=MergeSchema)
def get_merge(tx: Connection, merge_id: str) -> Merge:
    """Show a merge, and exactly what it moved."""
    merge = merges.get_merge(tx, merge_id)
    require_say(tx, merge.kept_id)
    return merge


@blueprint.operation("POST", "/merges/<id:merge_id>/reverse", answer=MergeSchema)
def reverse_merge(tx: Connection, merge_id: str) -> Merge:
    """Part the records again: give back exactly what the merge moved.

    What was recorded since then stays with the record that was kept.
    """
    merge = merges.get_merge(tx, merge_id)
    require_merge_say(tx, merge.kept_id)
    return merges.reverse_merge(tx, merge, by=current_principal().name, at=clock.now())
