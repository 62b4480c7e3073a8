"""Keys: what is kept of them, how they are compared, and where they must never turn up."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from registry.cli import main
from registry.delivery.signing import new_secret
from registry.settings import Settings
from registry.store import tables
from registry.store.database import reading


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    return Settings(database_url=sqlite_url, public_url="https://registry.example", pool_size=12)


def everything_in(file: Path) -> bytes:
    with ZipFile(file) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def test_no_key_is_in_a_backup_nor_in_what_is_kept_to_repeat_an_answer(
    client: FlaskClient, keys: Any, bearer: Any, tmp_path: Path, settings: Settings, monkeypatch: Any
) -> None:
    said = {"role": "clinic", "label": "Booking"}
    headers = bearer(keys.operator, **{"Idempotency-Key": "once"})
    made = client.post("/v1/admin/keys", json=said, headers=headers).get_json()
    rotated = client.post(
        f"/v1/admin/keys/{made['id']}/rotate",
        json={},
        headers=bearer(keys.operator, **{"Idempotency-Key": "twice"}),
    ).get_json()
    monkeypatch.setenv("REGISTRY_DATABASE_URL", settings.database_url)
    written = CliRunner().invoke(main, ["backup", str(tmp_path / "register.zip")])
    assert written.exit_code == 0, written.output
    kept = everything_in(tmp_path / "register.zip")
    assert made["prefix"].encode() in kept
    for secret in (made["secret"], rotated["secret"], keys.operator, keys.registrar):
        assert secret.rpartition("_")[2].encode() not in kept


def test_a_secret_is_compared_by_its_hash_in_constant_time(
    app: Flask, client: FlaskClient, keys: Any, bearer: Any, monkeypatch: Any
) -> None:
    """How long a comparison takes tells nothing of the secret: neither of its hash nor of itself."""
    compared: list[tuple[str, str]] = []
    in_constant_time = hmac.compare_digest

    def compare(kept: str, given: str) -> bool:
        compared.append((kept, given))
        return in_constant_time(kept, given)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    wrong = keys.operator[:-4] + "AAAA"
    assert client.get("/v1/admin/keys", headers=bearer(wrong)).status_code == 401
    with app.app_context(), reading() as connection:
        k = tables.api_keys
        prefix = keys.operator.split("_")[1]
        kept = connection.execute(select(k.c.secret_hash).where(k.c.prefix == prefix)).scalar_one()
    assert kept in {each for each, _ in compared}
    assert all(len(given) == 64 and given not in wrong for _, given in compared)


def test_what_nobody_may_guess_has_the_bits_for_it(client: FlaskClient, keys: Any, bearer: Any) -> None:
    """256 bits, so that a fast hash of a key, and a signature, can be tried out by nobody."""
    secrets = [new_secret().removeprefix("whsec_") for _ in range(50)]
    for _ in range(50):
        said = {"role": "clinic", "label": "Booking"}
        made = client.post("/v1/admin/keys", json=said, headers=bearer(keys.operator)).get_json()
        secrets.append(made["secret"].split("_", 2)[2])
    assert len(set(secrets)) == 100
    assert all(len(secret) * 6 >= 256 for secret in secrets)
    # Every character comes from a choice of its own: none of the places is always the same.
    assert all(len({secret[place] for secret in secrets}) > 5 for place in range(42))


@pytest.mark.parametrize("scheme", ["Basic", "Digest", "Negotiate", "Token", ""])
def test_a_key_opens_nothing_by_another_scheme(client: FlaskClient, keys: Any, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {keys.operator}".strip()}
    assert client.get("/v1/admin/keys", headers=headers).status_code == 401


def test_no_answer_repeats_the_key_that_it_was_asked_with(
    client: FlaskClient, keys: Any, bearer: Any
) -> None:
    for path in ("/v1/admin/keys", "/v1/bodies/none", "/v1/none", "/v1/rosters?x=1", "/about"):
        for key in (keys.operator, keys.operator[:-4] + "AAAA", "ndl_x_\u00e9"):
            answer = client.get(path, headers=bearer(key))
            assert key not in answer.text, path
            assert key not in str(answer.headers), path
