"""FastAPI with SQLAlchemy's asynchronous ORM: mapped classes, a session for each request, one statement."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import ForeignKey, and_, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, contains_eager, mapped_column, relationship

from .eligibility import TECHNIQUE, Known, Standing, answer


class Base(DeclarativeBase):
    pass


class Practitioner(Base):
    __tablename__ = "practitioners"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]


class Rule(Base):
    __tablename__ = "rules"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str]
    register_class: Mapped[str]
    first_day: Mapped[date]
    last_day: Mapped[date]
    may_needle: Mapped[bool]


class Registration(Base):
    __tablename__ = "registrations"
    id: Mapped[int] = mapped_column(primary_key=True)
    practitioner_id: Mapped[int] = mapped_column(ForeignKey(Practitioner.id))
    body: Mapped[str]
    number: Mapped[str]
    practitioner: Mapped[Practitioner] = relationship()


class RegistrationSpan(Base):
    __tablename__ = "registration_spans"
    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id))
    first_day: Mapped[date]
    last_day: Mapped[date]
    standing: Mapped[str]
    also: Mapped[str | None]
    register_class: Mapped[str]
    conditions: Mapped[str | None]


class Authorization(Base):
    __tablename__ = "authorizations"
    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey(Registration.id))
    technique: Mapped[str]


class AuthorizationSpan(Base):
    __tablename__ = "authorization_spans"
    id: Mapped[int] = mapped_column(primary_key=True)
    authorization_id: Mapped[int] = mapped_column(ForeignKey(Authorization.id))
    first_day: Mapped[date]
    last_day: Mapped[date]
    standing: Mapped[str]
    also: Mapped[str | None]


class Verification(BaseModel):
    body: str
    number: str
    name: str | None
    on: date
    authorized: bool
    outcome: str
    reasons: list[str]
    valid_through: date | None


engine = create_async_engine(os.environ["PEER_DATABASE_URL"], pool_size=8, max_overflow=0)
new_session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


async def session() -> AsyncIterator[AsyncSession]:
    async with new_session() as opened:
        yield opened


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/bodies/{body}/registrations/{number}/verification", response_model=Verification)
async def verify(body: str, number: str, on: date, opened: Annotated[AsyncSession, Depends(session)]) -> Any:
    statement = (
        select(Registration, RegistrationSpan, Rule, AuthorizationSpan)
        .join(Registration.practitioner)
        .join(
            RegistrationSpan,
            and_(RegistrationSpan.registration_id == Registration.id, _holds_on(RegistrationSpan, on)),
        )
        .outerjoin(
            Rule,
            and_(
                Rule.body == Registration.body,
                Rule.register_class == RegistrationSpan.register_class,
                _holds_on(Rule, on),
            ),
        )
        .outerjoin(
            Authorization,
            and_(Authorization.registration_id == Registration.id, Authorization.technique == TECHNIQUE),
        )
        .outerjoin(
            AuthorizationSpan,
            and_(AuthorizationSpan.authorization_id == Authorization.id, _holds_on(AuthorizationSpan, on)),
        )
        .where(Registration.body == body, Registration.number == number)
        .options(contains_eager(Registration.practitioner))
    )
    row = (await opened.execute(statement)).one_or_none()
    return answer(body, number, on, None if row is None else _known(*row))


def _holds_on(kind: Any, on: date) -> Any:
    return and_(kind.first_day <= on, kind.last_day >= on)


def _known(
    registration: Registration, span: RegistrationSpan, rule: Rule | None, held: AuthorizationSpan | None
) -> Known:
    return Known(
        registration.practitioner.name,
        Standing(span.standing, span.also, span.last_day),
        span.conditions,
        None if rule is None else rule.may_needle,
        None if rule is None else rule.last_day,
        None if held is None else Standing(held.standing, held.also, held.last_day),
    )
