"""Every request is timed and counted by its route; and logged, where that is wished.

The log names the route and never the address: a path holds numbers, a query holds names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from registry import clock

from .headers import KNOWN_AS, ROUTED_TO, STATUS, STREAMED, TRACED_AS
from .metrics import IMPORTS, NO_ROUTE, REQUESTS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from prometheus_client import Histogram

IMPORT_STAGES = {
    "create_import": "receive",
    "preview_import": "preview",
    "apply_import": "apply",
    "reverse_import": "reverse",
}
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
LOGGED_FROM = {"all": "000", "failures": "500", "none": "999"}
"""From which status on, for each choice of what to log."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """How requests with one route and one status are counted."""

    route: str
    timer: Histogram
    stage: Histogram | None

    @classmethod
    def of(cls, endpoint: str | None, status: str) -> _Counted:
        route = NO_ROUTE if endpoint is None else endpoint.rpartition(".")[2]
        stage = IMPORT_STAGES.get(route)
        return cls(route, REQUESTS.labels(route, status), None if stage is None else IMPORTS.labels(stage))


class Observed:
    """An application whose requests are counted.

    :param logs: which of them are logged, too: a key of :data:`LOGGED_FROM`.
    """

    def __init__(self, application: WSGIApplication, logs: str) -> None:
        self._application = application
        self._logged_from = LOGGED_FROM[logs]
        self._counted: dict[tuple[str | None, str], _Counted] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        begun = perf_counter()
        try:
            answer = self._application(environ, start_response)
        except BaseException:
            environ[STATUS] = "500"
            self._note(environ, begun)
            raise
        if STREAMED in environ:
            return _Streamed(answer, lambda: self._note(environ, begun))
        self._note(environ, begun)
        return answer

    def _note(self, environ: WSGIEnvironment, begun: float) -> None:
        seconds = perf_counter() - begun
        endpoint, status = environ.get(ROUTED_TO), environ[STATUS]
        counted = self._counted.get((endpoint, status))
        if counted is None:
            counted = self._counted[endpoint, status] = _Counted.of(endpoint, status)
        counted.timer.observe(seconds)
        if counted.stage is not None:
            counted.stage.observe(seconds)
        if status >= self._logged_from:
            _log(environ, counted.route, status, seconds)


class _Streamed:
    """An answer that is noted when its last piece is sent, or the connection is gone."""

    def __init__(self, answer: Iterable[bytes], ended: Callable[[], None]) -> None:
        self._answer = answer
        self._ended = ended

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        """The server is done with it."""
        try:
            close = getattr(self._answer, "close", None)
            if close is not None:
                close()
        finally:
            self._ended()


def _log(environ: WSGIEnvironment, route: str, status: str, seconds: float) -> None:
    """One line. What is in it needs no escaping: all but the identifiers is ours, and they are plain."""
    method = environ["REQUEST_METHOD"]
    traced = f',"trace_id":"{environ[TRACED_AS]}"' if TRACED_AS in environ else ""
    sys.stderr.write(
        f'{{"event":"request","route":"{route}","method":"{method if method in METHODS else "other"}",'
        f'"status":{status},"milliseconds":{seconds * 1000:.2f},"request_id":"{environ[KNOWN_AS]}"{traced},'
        f'"level":"info","timestamp":"{clock.now().isoformat()}"}}\n'
    )
