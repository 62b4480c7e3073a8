"""FastAPI with asyncpg: one prepared statement, a pool, and a response model."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from pydantic import BaseModel

from .eligibility import TECHNIQUE, Known, Standing, answer

STATEMENT = """
    SELECT p.name,
           s.standing, s.also, s.last_day, s.conditions,
           rules.may_needle, rules.last_day AS rules_last_day,
           held.standing AS held_standing, held.also AS held_also, held.last_day AS held_last_day
    FROM registrations r
    JOIN practitioners p ON p.id = r.practitioner_id
    JOIN registration_spans s ON s.registration_id = r.id AND $3 BETWEEN s.first_day AND s.last_day
    LEFT JOIN rules ON rules.body = r.body AND rules.register_class = s.register_class
         AND $3 BETWEEN rules.first_day AND rules.last_day
    LEFT JOIN authorizations a ON a.registration_id = r.id AND a.technique = $4
    LEFT JOIN authorization_spans held ON held.authorization_id = a.id
         AND $3 BETWEEN held.first_day AND held.last_day
    WHERE r.body = $1 AND r.number = $2
"""


class Verification(BaseModel):
    body: str
    number: str
    name: str | None
    on: date
    authorized: bool
    outcome: str
    reasons: list[str]
    valid_through: date | None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["PEER_DATABASE_URL"], min_size=4, max_size=8) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/bodies/{body}/registrations/{number}/verification", response_model=Verification)
async def verify(request: Request, body: str, number: str, on: date) -> Any:
    row = await request.app.state.pool.fetchrow(STATEMENT, body, number, on, TECHNIQUE)
    return answer(body, number, on, None if row is None else _known(row))


def _known(row: asyncpg.Record) -> Known:
    held = row["held_standing"]
    return Known(
        row["name"],
        Standing(row["standing"], row["also"], row["last_day"]),
        row["conditions"],
        row["may_needle"],
        row["rules_last_day"],
        None if held is None else Standing(held, row["held_also"], row["held_last_day"]),
    )
