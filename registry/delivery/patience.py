"""Waiting no longer than one wants to, also for what knows no end of its own, as the look-up of a name."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


def begun(call: Callable[[], Result], name: str) -> Future[Result]:
    """`call`, running beside; what it returns or raises is the future's.

    Nobody has to wait for it: a process may end before it does.

    :param name: of the thread, for whoever looks at a process that hangs.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            result = call()
        except BaseException as problem:  # noqa: BLE001 - it is raised where the result is wanted
            future.set_exception(problem)
        else:
            future.set_result(result)

    Thread(target=run, name=name, daemon=True).start()
    return future
