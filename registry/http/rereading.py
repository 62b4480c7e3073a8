"""Public reads that outlive the server they were read from; and the mark on what a replica answered."""

from __future__ import annotations

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue

from registry.errors import Interrupted, Unavailable
from registry.store.database import as_of_request, read_elsewhere

from .disclosure import shown_instant

AS_OF = "Registry-As-Of"
"""The header that says until when all that was recorded is in an answer; none where that is the present."""

READ_AGAIN = "read_again"


def read_from_replicas(app: Flask) -> None:
    """Mark what is answered from replicas; answer once more from elsewhere, where one failed meanwhile.

    A view that was interrupted has only read, and answered nothing yet: it is called again.
    """
    app.register_error_handler(Interrupted, lambda error: _read_again(app, error))
    app.after_request(_mark)


def _read_again(app: Flask, error: Interrupted) -> ResponseReturnValue:
    if READ_AGAIN in g or request.endpoint is None:
        return app.handle_user_exception(Unavailable(error.detail))
    g.read_again = True
    read_elsewhere()
    view = app.ensure_sync(app.view_functions[request.endpoint])
    try:
        response: ResponseReturnValue = view(**(request.view_args or {}))
    except Exception as failure:  # noqa: BLE001 - whatever it is, it is answered as it would have been at first
        return app.handle_user_exception(failure)
    return response


def _mark(response: Response) -> Response:
    as_of = as_of_request()
    if as_of is not None:
        response.headers[AS_OF] = shown_instant(as_of)
    return response
