"""How much may be asked, by whom: what a request costs, what is left, and the refusal where it is too much.

Without a key an address is counted (in IPv6 its site), with one the key or the holder of the token. Each
person that an answer shows costs one unit, whichever way was taken to them: that, and not how the question
was put, bounds what part of the register anyone can carry away. A search is charged for a full page before it
is done, and given back what it did not show: however many run at once, none shows more than was paid for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from flask import Flask, current_app, g, request

from registry.domain.allowance import Policy, Taken
from registry.errors import Invalid
from registry.services.principals import Principal
from registry.settings import MACHINE, OFF, PROCESS, Settings
from registry.store.counts import Cell, Counts, SharedCounts, file_of_machine

from .clients import FORWARDED_FOR, network_of
from .headers import RATE_LIMIT
from .problems import TooManyRequests, Unauthenticated

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

EXTENSION = "registry.limits"
IN_MEMORY = ("sqlite://", "sqlite:///:memory:")
"""Databases that no two processes share."""
KNOWN = Policy("known", 1, 3600)
"""Not a limit: in its window a client counts as known."""

log = structlog.get_logger(__name__)


class Budget(StrEnum):
    """What a request is charged to."""

    FREE = "free"
    """Nothing: it shows nobody."""
    LOOK_UP = "look-up"
    """One unit."""
    QUESTIONS = "questions"
    """Without a key a unit for each question, which the view charges; with one, for the request."""
    SEARCH = "search"
    """One unit, and one for each person shown, which the view charges."""


class Limits:
    """The limits of one application.

    :raises registry.store.counts.CountsUnusable: nothing can be counted where the settings say.
    """

    def __init__(self, settings: Settings, counts: Counts | None = None) -> None:
        self.counts = counts or counts_of(settings)
        look_ups, day = _policy("look-ups", settings.limit_look_ups), _policy("day", settings.limit_day)
        key, search = _policy("key", settings.limit_key), _policy("search", settings.limit_search)
        key_search = _policy("key-search", settings.limit_key_search)
        self._attempts = _policy("attempts", settings.limit_attempts)
        self._of_public: Mapping[Budget, tuple[Policy, ...]] = {
            Budget.FREE: (),
            Budget.LOOK_UP: look_ups + day,
            Budget.QUESTIONS: look_ups + day,
            Budget.SEARCH: search + day,
        }
        self._of_keys: Mapping[Budget, tuple[Policy, ...]] = {
            Budget.FREE: (),
            Budget.LOOK_UP: key,
            Budget.QUESTIONS: key,
            Budget.SEARCH: key_search,
        }
        self._is_without_proxies, self._has_warned = settings.trusted_hops == 0, False
        self.cells = lru_cache(maxsize=8192)(self._cells)
        self.of_public = lru_cache(maxsize=8192)(self._cells_of_public)

    def _cells(self, client: str, policies: tuple[Policy, ...]) -> tuple[Cell, ...]:
        return tuple((self.counts.name(client, policy), policy) for policy in policies)

    def _cells_of_public(self, address: str, budget: Budget) -> tuple[Cell, ...]:
        """What an address without a key is counted under."""
        return self.cells(network_of(address), self._of_public[budget])

    def of_principal(self, principal: Principal, budget: Budget) -> tuple[Cell, ...]:
        """What a key, or the holder of a token, is counted under."""
        return self.cells(principal.id, self._of_keys[budget])

    def warn_of_proxy(self, environ: WSGIEnvironment) -> None:
        """Say once that everyone behind a proxy is counted as one, where that seems to be so."""
        if self._is_without_proxies and FORWARDED_FOR in environ and not self._has_warned:
            self._has_warned = True
            log.warning("everyone_behind_a_proxy_counts_as_one", setting="REGISTRY_TRUSTED_HOPS")

    def most_questions(self) -> int | None:
        """How many questions may ever be asked at once without a key; ``None`` for no limit."""
        return min((policy.units for policy in self._of_public[Budget.QUESTIONS]), default=None)

    @contextmanager
    def attempt(self, address: str, credential: str) -> Iterator[None]:
        """Within, a key or a token is judged; where it opens nothing, the block raises ``Unauthenticated``.

        An address has so many failures in a while; then what it comes with is not even looked at. Whoever
        used the very same key or token from there within the last hour is not held up by others.

        :raises TooManyRequests: there were too many failures.
        """
        network = network_of(address)
        attempts = self.cells(network, self._attempts)
        whose = f"{network} {sha256(credential.encode('utf-8', 'backslashreplace')).hexdigest()}"
        known = [(self.counts.name(whose, KNOWN), KNOWN)]
        is_known = self.counts.take(known, 0)[1][0][0] > 0
        taken = None if is_known else self._take_attempt(attempts)
        try:
            yield
        except Unauthenticated:
            if taken is None:
                self._take_attempt(attempts)
            raise
        except BaseException:
            self._give_attempt_back(attempts, taken)
            raise
        if taken is not None:
            self._give_attempt_back(attempts, taken)
            self.counts.take(known, 1)

    def _take_attempt(self, attempts: tuple[Cell, ...]) -> Taken:
        taken = self.counts.take(attempts, 1)
        if not taken[0]:
            raise _too_many(attempts, taken, 1)
        return taken

    def _give_attempt_back(self, attempts: tuple[Cell, ...], taken: Taken | None) -> None:
        if taken is not None:
            self.counts.give_back(attempts, taken, 1)


def counts_of(settings: Settings) -> Counts:
    """Where clients are counted, as the settings say."""
    if settings.counts == PROCESS or settings.database_url in IN_MEMORY:
        return SharedCounts()
    if settings.counts == MACHINE:
        return SharedCounts(file_of_machine(settings.database_url))
    if settings.counts.startswith("file:"):
        return SharedCounts(Path(settings.counts.removeprefix("file:")))
    from registry.store.redis_counts import RedisCounts

    return RedisCounts(settings.counts, meanwhile=SharedCounts(file_of_machine(settings.database_url)))


def _policy(name: str, setting: str) -> tuple[Policy, ...]:
    """One policy, or none where it is switched off."""
    if setting == OFF:
        return ()
    units, seconds = map(int, setting.split("/"))
    return (Policy(name, units, seconds),)


def set_limits(app: Flask, settings: Settings) -> Limits:
    """Give the application its limits."""
    app.extensions[EXTENSION] = made = Limits(settings)
    return made


def current_limits() -> Limits:
    """Those of the present application."""
    found: Limits = current_app.extensions[EXTENSION]
    return found


def charge(limits: Limits, environ: WSGIEnvironment, cells: tuple[Cell, ...], cost: int) -> Taken:
    """Take so many units for the present request, and tell in its answer what is left.

    :raises TooManyRequests: too few are left; then none is taken.
    """
    taken = limits.counts.take(cells, cost)
    tell(environ, cells, taken)
    if not taken[0]:
        limits.warn_of_proxy(environ)
        raise _too_many(cells, taken, cost)
    return taken


def tell(environ: WSGIEnvironment, cells: tuple[Cell, ...], taken: Taken) -> None:
    """Put into the answer what is left (draft-ietf-httpapi-ratelimit-headers-11)."""
    left = [
        f'"{policy.name}";r={policy.units - used};t={ceil(ends_in)}'
        for (_, policy), (used, ends_in) in zip(cells, taken[1], strict=True)
    ]
    environ[RATE_LIMIT] = (_listed(cells), ", ".join(left))


@lru_cache(maxsize=8192)
def _listed(cells: tuple[Cell, ...]) -> str:
    """The policies, as the field RateLimit-Policy has them."""
    return ", ".join([str(policy) for _, policy in cells])


def _too_many(cells: tuple[Cell, ...], taken: Taken, cost: int) -> TooManyRequests:
    """The refusal. It ends with the longest of the windows in which too few units are left."""
    beyond = {
        policy.name: max(1, ceil(ends_in))
        for (_, policy), (used, ends_in) in zip(cells, taken[1], strict=True)
        if used + cost > policy.units
    }
    return TooManyRequests(max(beyond.values()), list(beyond))


def _cells_of_request(budget: Budget) -> tuple[Cell, ...]:
    principal: Principal | None = g.get("principal")
    if principal is not None:
        return current_limits().of_principal(principal, budget)
    return current_limits().of_public(request.environ.get("REMOTE_ADDR", ""), budget)


def charge_questions(count: int) -> None:
    """Charge for the questions of a batch beyond the one that every request is charged for.

    :raises registry.errors.Invalid: without a key so many can never be asked at once.
    :raises TooManyRequests: too few are left.
    """
    if "principal" in g or count <= 1:
        return
    most = current_limits().most_questions()
    if most is None:
        return
    if count > most:
        raise Invalid(f"Without a key, ask at most {most:,} questions at once; with one, up to 10,000.")
    charge(current_limits(), request.environ, _cells_of_request(Budget.QUESTIONS), count - 1)


class PaidSearch:
    """A search that has been paid for, for a full page. Who fails shows nobody."""

    def __init__(self) -> None:
        self.people = 0

    def shows(self, people: int) -> None:
        """So many people are shown."""
        self.people = people


@contextmanager
def paying_for_search(most: int) -> Iterator[PaidSearch]:
    """Within, people are looked for; what was paid for those who are not shown is given back.

    :param most: how many may be shown.
    :raises TooManyRequests: too few units are left for so many.
    """
    cells, shown = _cells_of_request(Budget.SEARCH), PaidSearch()
    if not cells:
        yield shown
        return
    paid = min(most, min(policy.units for _, policy in cells) - 1)
    taken = charge(current_limits(), request.environ, cells, paid)
    try:
        yield shown
    finally:
        if paid > shown.people:
            counts = current_limits().counts
            counts.give_back(cells, taken, paid - shown.people)
            tell(request.environ, cells, counts.take(cells, 0))
    if shown.people > paid:  # a number is held by one person at each body, however few were asked for
        charge(current_limits(), request.environ, cells, shown.people - paid)
