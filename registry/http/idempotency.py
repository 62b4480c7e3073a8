"""``Idempotency-Key``: a request that is sent twice is done once, and answered the same (IETF httpapi draft).

First the key is noted as running, in a transaction of its own; then the change and the answer are committed
together, if the request still holds the key's lease. A request that died leaves its key running; after
:data:`LEASE` another may take it over, and the dead one, should it wake, fails at its lease and undoes its
change. A request that was refused changed nothing and frees its key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

import structlog
from flask import Response, request
from sqlalchemy import Connection

from registry import clock
from registry.errors import Invalid, Unavailable
from registry.store import idempotency as store
from registry.store.database import writing

from .access import current_principal
from .problems import KeyReused, StillRunning

HEADER = "Idempotency-Key"
LEASE = timedelta(seconds=120)
LONGEST = 257
"""Characters of the header: 255, and quotes."""
QUOTED = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"')
KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Link")
CHUNK = 1 << 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the request under a key, until the lease is taken over."""

    principal: str
    key: str
    lease: str


def given_key() -> str | None:
    """The request's key; ``None`` where it has none.

    :raises registry.errors.Invalid: it is empty, too long or not printable ASCII.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return None
    if not 0 < len(given) <= LONGEST or not given.isascii() or not given.isprintable():
        detail = "Give 1 to 255 printable ASCII characters, such as a UUID, in quotes or bare."
        raise Invalid(f"{HEADER}: {detail}", [{"header": HEADER, "detail": detail}])
    quoted = QUOTED.fullmatch(given)
    return re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted else given


def once(
    key: str,
    work: Callable[[Connection], Response],
    *,
    without: str | None = None,
    prepare: Callable[[], None] = lambda: None,
) -> Response:
    """Do the request's work in one transaction, or answer as it was answered before.

    :param prepare: called before the work, outside its transaction; never where an answer is repeated.
    :param without: a member of the answer that is not kept (a secret); a replay has null in its place.
    :raises KeyReused: another request was made under this key.
    :raises StillRunning: the same request is being done.
    """
    claim = _claim(current_principal().id, key)
    if isinstance(claim, Response):
        return claim
    with _released_on_failure(claim):
        prepare()
        with writing() as tx:
            response = work(tx)
            stored = _stored(response, without)
            if not store.keep(tx, claim.principal, key, lease=claim.lease, response=stored):
                raise StillRunning("Another has taken this request over; send it again to learn the answer.")
    return response


def _claim(principal: str, key: str) -> Claim | Response:
    at, fingerprint = clock.now(), _fingerprint()
    claim = Claim(principal, key, clock.new_id())
    row = {"principal": principal, "key": key, "fingerprint": fingerprint, "lease": claim.lease}
    with writing() as tx:
        store.forget(tx, at)
        if store.begin(tx, {**row, "begun_at": at}):
            return claim
        found = store.find(tx, principal, key)
        if found is None:
            raise StillRunning("The first request with this key has just ended; send it again.")
        if found.fingerprint != fingerprint:
            raise KeyReused(f"This {HEADER} was used for another request; use a new key for a new request.")
        if found.response is not None:
            return _replay(found.response)
        if at - found.begun_at < LEASE or not store.take_over(tx, found, lease=claim.lease, at=at):
            raise StillRunning("The first request with this key has not ended; wait and send it again.")
        return claim


def _fingerprint() -> str:
    """The same for the same request: method, path, query, body."""
    digest = sha256(f"{request.method} {request.full_path}\n".encode("utf-8", "backslashreplace"))
    if request.mimetype != "multipart/form-data":
        digest.update(request.get_data(cache=True))
        return digest.hexdigest()
    for name, value in sorted(request.form.items(multi=True)):
        digest.update(f"{name}={value}\n".encode("utf-8", "backslashreplace"))
    for name, file in sorted(request.files.items(multi=True), key=lambda item: item[0]):
        digest.update(f"{name}:{file.filename}\n".encode("utf-8", "backslashreplace"))
        while chunk := file.stream.read(CHUNK):
            digest.update(chunk)
        file.stream.seek(0)
    return digest.hexdigest()


def _stored(response: Response, without: str | None) -> str:
    body = response.get_data(as_text=True)
    if without is not None:
        body = json.dumps({**json.loads(body), without: None}, ensure_ascii=False, separators=(",", ":"))
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return json.dumps({"status": response.status_code, "headers": headers, "body": body})


def _replay(stored: str) -> Response:
    kept = json.loads(stored)
    response = Response(kept["body"], kept["status"], kept["headers"])
    response.headers["Idempotency-Replayed"] = "true"
    response.headers["Cache-Control"] = "no-store"
    return response


@contextmanager
def _released_on_failure(claim: Claim) -> Iterator[None]:
    try:
        yield
    except BaseException:
        try:
            with writing() as tx:
                store.release(tx, claim.principal, claim.key, lease=claim.lease)
        except Unavailable:
            log.warning("idempotency_key_left_running", until_seconds=LEASE.total_seconds())
        raise
