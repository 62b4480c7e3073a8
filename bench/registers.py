"""Registers to measure on: made-up people in a body's snapshot, the same for the same number of them."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from flask import Flask

from registry.clock import now
from registry.domain.rules import BodyRules
from registry.services import bodies
from registry.settings import Settings
from registry.store.database import connect_to_database, disconnect, writing

BODY = "bench"
PROFILE = Path(__file__).parent / "profile.toml"
HEADER = (
    "number",
    "given",
    "family",
    "city",
    "class",
    "status",
    "first",
    "last",
    "needling",
    "needling_first",
    "needling_last",
)
ONSETS = (
    "b",
    "br",
    "c",
    "d",
    "f",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "st",
    "t",
    "v",
)
VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou", "é", "ö")
ENDINGS = ("n", "r", "s", "l", "ck", "tt", "nd", "son", "berg", "ski", "ez", "ou", "a", "o", "ley", "ton")
CITIES = ("Calgary", "Edmonton", "Red Deer", "Lethbridge", "Banff", "Medicine Hat", "Airdrie", "Canmore")
STATUSES = (
    ("ACTIVE",) * 94 + ("ACTIVE - CONDITIONS",) * 2 + ("SUSPENDED",) * 2 + ("REVOKED", "PENDING REVIEW")
)


def rows(people: int, today: date) -> Iterator[tuple[str, ...]]:
    """The rows of a snapshot of so many people; a tenth of the terms have passed, a third may needle."""
    rng = random.Random(people)
    families = [_word(rng, 2) for _ in range(max(200, people // 40))]
    givens = [_word(rng, 1) for _ in range(max(60, people // 400))]
    for index in range(people):
        first = today - timedelta(days=rng.randrange(30, 9000))
        last = today + timedelta(days=rng.randrange(-60, 540))
        needles = rng.random() < 1 / 3
        begun = max(first, today - timedelta(days=rng.randrange(10, 2000)))
        yield (
            number(index),
            rng.choice(givens),
            families[int(len(families) * rng.random() ** 2)],
            rng.choice(CITIES),
            "General" if rng.random() < 0.9 else "Provisional",
            rng.choice(STATUSES),
            min(first, last).isoformat(),
            last.isoformat(),
            "Y" if needles else "N",
            min(begun, last).isoformat() if needles else "",
            last.isoformat() if needles else "",
        )


def number(index: int) -> str:
    """The registration number of the person at a position."""
    return f"PT-{index:07d}"


def _word(rng: random.Random, syllables: int) -> str:
    parts = [rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(rng.randint(1, syllables + 1))]
    return ("".join(parts) + rng.choice(ENDINGS)).capitalize()


def write_snapshot(path: Path, people: int, today: date) -> None:
    """Write the snapshot as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows(people, today))


def make_body(url: str) -> None:
    """Take the body of the made-up people into an empty register, with rules: not every class may needle.

    :param url: of a database with the newest schema.
    """
    app, at = Flask(__name__), now()
    connect_to_database(app, Settings(database_url=url))
    facts = bodies.BodyFacts(
        code=BODY, name="College of Measured Physiotherapists", jurisdiction="CA-AB", zone="America/Edmonton"
    )
    rules = BodyRules(holds_from=date(1990, 1, 1), recorded_at=at, eligible_classes=frozenset({"General"}))
    with app.app_context(), writing() as tx:
        bodies.add_rules(tx, bodies.create_body(tx, facts, at=at), rules, by="bench", at=at)
    disconnect(app)
