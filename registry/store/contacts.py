"""Where people are written to, and who gets a body's digest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from registry.clock import new_id
from registry.errors import Stale

from . import tables
from .notice_tables import contacts, digest_recipients, notice_templates

c, d, t = contacts, digest_recipients, notice_templates


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a person is written to. ``language``: BCP 47, of correspondence."""

    practitioner_id: str
    email: str
    language: str | None
    version: int
    changed_at: datetime
    changed_by: str


def find_contact(connection: Connection, practitioner_id: str) -> Contact | None:
    """A person's own."""
    row = connection.execute(select(c).where(c.c.practitioner_id == practitioner_id)).one_or_none()
    return None if row is None else Contact(*row)


def contact_of_registration(connection: Connection, registration_id: str) -> Contact | None:
    """Where its holder is written to: as their record says, or one that was merged into it."""
    r, p = tables.registrations, tables.practitioners
    statement = (
        select(c, r.c.practitioner_id.label("holder"))
        .join(p, p.c.id == c.c.practitioner_id)
        .join(r, or_(r.c.practitioner_id == p.c.id, r.c.practitioner_id == p.c.merged_into))
        .where(r.c.id == registration_id)
        .order_by(c.c.practitioner_id)
    )
    found = connection.execute(statement).all()
    own = [row for row in found if row.practitioner_id == row.holder]
    return Contact(*(own or found)[0][:6]) if found else None


def write_contact(
    tx: Connection,
    practitioner_id: str,
    email: str,
    language: str | None,
    *,
    version: int | None,
    by: str,
    at: datetime,
) -> Contact:
    """Keep where a person is written to.

    :param version: of what is replaced; ``None`` where there is nothing yet.
    :raises registry.errors.Stale: somebody was faster.
    """
    values = {"email": email, "language": language, "changed_at": at, "changed_by": by}
    if version is None:
        dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
        fresh = dialect.insert(c).values(practitioner_id=practitioner_id, version=1, **values)
        once = fresh.on_conflict_do_nothing().returning(c.c.practitioner_id)
        if tx.execute(once).one_or_none() is None:
            raise Stale("This address was changed by someone else in the meantime; read it again.")
        return Contact(practitioner_id, email, language, 1, at, by)
    same = (c.c.practitioner_id == practitioner_id) & (c.c.version == version)
    if tx.execute(update(c).where(same).values(version=version + 1, **values)).rowcount != 1:
        raise Stale("This address was changed by someone else in the meantime; read it again.")
    return Contact(practitioner_id, email, language, version + 1, at, by)


def delete_contact(tx: Connection, practitioner_id: str, version: int | None) -> bool:
    """Forget where a person is written to; whether it was (``None`` for whatever version) as given."""
    statement = delete(c).where(c.c.practitioner_id == practitioner_id)
    if version is not None:
        statement = statement.where(c.c.version == version)
    return tx.execute(statement).rowcount == 1


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a body's digest."""

    id: str
    body_id: str
    email: str
    language: str | None
    token: str
    added_at: datetime
    added_by: str


def recipients_of(connection: Connection, body_id: str) -> list[Recipient]:
    """Who gets a body's digest, in the order in which they were added."""
    return [
        Recipient(*row)
        for row in connection.execute(select(d).where(d.c.body_id == body_id).order_by(d.c.id))
    ]


def find_recipient(connection: Connection, recipient_id: str) -> Recipient | None:
    """One of them."""
    row = connection.execute(select(d).where(d.c.id == recipient_id)).one_or_none()
    return None if row is None else Recipient(*row)


def recipient_with(connection: Connection, token: str) -> Recipient | None:
    """The one whose digests name this token."""
    row = connection.execute(select(d).where(d.c.token == token)).one_or_none()
    return None if row is None else Recipient(*row)


def add_recipient(
    tx: Connection, body_id: str, email: str, language: str | None, token: str, *, by: str, at: datetime
) -> Recipient:
    """Let somebody get a body's digest."""
    row: dict[str, Any] = {
        "id": new_id(),
        "body_id": body_id,
        "email": email,
        "language": language,
        "token": token,
        "added_at": at,
        "added_by": by,
    }
    tx.execute(insert(d), [row])
    return Recipient(**row)


def delete_recipient(tx: Connection, recipient_id: str) -> bool:
    """Send them no more digests; whether they got them."""
    return tx.execute(delete(d).where(d.c.id == recipient_id)).rowcount == 1


@dataclass(frozen=True, slots=True)
class Wording:
    """A body's own words for a notice in a language."""

    body_id: str
    kind: str
    language: str
    subject: str
    text: str
    version: int
    changed_at: datetime
    changed_by: str


def wordings_of(connection: Connection, body_id: str) -> list[Wording]:
    """All that a body has worded by itself."""
    statement = select(t).where(t.c.body_id == body_id).order_by(t.c.kind, t.c.language)
    return [_wording(row) for row in connection.execute(statement)]


def find_wording(connection: Connection, body_id: str, kind: str, language: str) -> Wording | None:
    """A body's own words for one notice in one language."""
    which = (t.c.body_id == body_id) & (t.c.kind == kind) & (t.c.language == language)
    row = connection.execute(select(t).where(which)).one_or_none()
    return None if row is None else _wording(row)


def write_wording(tx: Connection, wording: Wording) -> None:
    """Keep a body's own words: the version after the one that they replace, 1 for the first.

    :raises registry.errors.Stale: somebody was faster.
    """
    values = asdict(wording)
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    if wording.version == 1:
        statement: Any = dialect.insert(t).values(values).on_conflict_do_nothing()
        statement = statement.returning(t.c.version)
    else:
        before = (t.c.body_id == wording.body_id) & (t.c.kind == wording.kind)
        before &= (t.c.language == wording.language) & (t.c.version == wording.version - 1)
        statement = update(t).where(before).values(values).returning(t.c.version)
    if tx.execute(statement).one_or_none() is None:
        raise Stale("These words were changed by someone else in the meantime; read them again.")


def delete_wording(tx: Connection, wording: Wording) -> bool:
    """Go back to the built-in words; whether they were as given."""
    same = (t.c.body_id == wording.body_id) & (t.c.kind == wording.kind) & (t.c.language == wording.language)
    return tx.execute(delete(t).where(same & (t.c.version == wording.version))).rowcount == 1


def _wording(row: Row[Any]) -> Wording:
    return Wording(**row._mapping)  # noqa: SLF001 - public, in spite of its name
