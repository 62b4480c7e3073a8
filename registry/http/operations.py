"""An operation of the API: what it takes, what it answers, in which transaction; declared in one place.

See :mod:`registry.http` for how a view is written.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

import flask_smorest
import structlog
from flask import Response, current_app, request
from marshmallow import Schema
from sqlalchemy import Connection

from registry.services.principals import OF_A_BODY
from registry.store.database import public_reading, reading, writing

from . import idempotency
from .access import Rule, body_was_asked, current_principal, rule_of
from .answers import if_match_version, not_modified, render
from .auditing import tell_change, tell_withheld_seen
from .fields import QuerySchema, ResponseSchema
from .openapi import Declaration, describe, prepare_declared
from .requests import read_form, read_json, read_query
from .tracing import request_id

View = Callable[..., Any]

log = structlog.get_logger(__name__)
MAX_IMPORT_BYTES = "MAX_IMPORT_BYTES"


class ForgottenBodyError(Exception):
    """A view under an ``own_body`` rule answered without asking whose the resource is."""


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # published without types
    """A group of operations under one prefix and one tag."""

    def __init__(self, name: str, import_name: str, **options: Any) -> None:
        super().__init__(name, import_name, **options)
        self._prepare_doc_cbks.append(prepare_declared)

    def operation(
        self,
        method: str,
        rule: str,
        *,
        answer: type[ResponseSchema] | None = None,
        status: int = 200,
        raw: bool = False,
        beforehand: Callable[..., None] | None = None,
        **takes: Any,
    ) -> Callable[[View], View]:
        """Register a view: ``view(tx, given=..., query=..., version=..., **path)``.

        The view is given, by name, only what is declared; it returns a value for the schema, an
        :class:`~registry.http.answers.Answer`, or a ready response. All that it does is one transaction.

        :param answer: what it answers with; ``None`` for nothing (then ``status`` is 204).
        :param raw: the view is called as it is, with the variable parts of the path alone, and returns a
            ready response; the rest of the declaration only describes it.
        :param beforehand: called as the view is, before the transaction begins; for what takes long and may
            refuse the request.
        :param takes: the rest of a :class:`Declaration`.
        """
        status = HTTPStatus.NO_CONTENT if answer is None else status
        declared = Declaration(method=method, rule=rule, answer=answer, status=int(status), **takes)

        def register(view: View) -> View:
            access = rule_of(view.__name__)
            called: View = view if raw else _Operation(declared, access, view, beforehand).handler()
            # Where flask-smorest looks for what its own decorators would have noted.
            setattr(called, "_apidoc", describe(view.__name__, declared, access))  # noqa: B010 - mypy: no such attribute
            self.add_url_rule(rule, view.__name__, called, methods=[method])
            return view

        return register


@dataclass(frozen=True)
class _Operation:
    declared: Declaration
    access: Rule
    view: View
    beforehand: Callable[..., None] | None = None

    def handler(self) -> Callable[..., Response]:
        """The view as Flask calls it."""
        declared = self.declared
        answer = None if declared.answer is None else declared.answer()
        body = None if declared.body is None else declared.body()
        form = None if declared.form is None else declared.form()
        query = (declared.query or QuerySchema)()

        @wraps(self.view)
        def handle(**path: Any) -> Response:
            if declared.largest_body is not None:
                request.max_content_length = current_app.config[declared.largest_body]
            arguments = {**path, **self._arguments(body, form, query)}
            response = self._perform(arguments, lambda tx: self._answer(tx, arguments, answer))
            if declared.changes:
                self._log(response)
            tell_withheld_seen(self.view.__name__)
            return not_modified(response)

        return handle

    def _arguments(self, body: Schema | None, form: Schema | None, query: Schema) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if self.declared.query is not None:
            arguments["query"] = read_query(query)
        elif request.args:
            read_query(query)
        if body is not None:
            arguments["given"] = read_json(body)
        if form is not None:
            arguments["given"] = read_form(form)
        if self.declared.changes_version:
            arguments["version"] = if_match_version()
        return arguments

    def _perform(self, arguments: dict[str, Any], work: Callable[[Connection], Response]) -> Response:
        def prepare() -> None:
            if self.beforehand is not None:
                self.beforehand(**arguments)

        key = idempotency.given_key() if self.declared.creates else None
        if key is not None:
            return idempotency.once(key, work, without=self.declared.shown_once, prepare=prepare)
        prepare()
        with self._transaction() as tx:
            return work(tx)

    def _log(self, response: Response) -> None:
        log.info(
            "changed",
            operation=self.view.__name__,
            status=response.status_code,
            principal=current_principal().name,
            request_id=request_id(),
        )

    def _transaction(self) -> AbstractContextManager[Connection]:
        if self.declared.changes:
            return writing()
        return public_reading() if self.access.public else reading()

    def _answer(self, tx: Connection, arguments: dict[str, Any], answer: Schema | None) -> Response:
        result = self.view(tx, **arguments)
        if self.access.own_body and current_principal().role in OF_A_BODY and not body_was_asked():
            raise ForgottenBodyError(self.view.__name__)
        response = render(result, answer, self.declared.status)
        if self.declared.changes:
            tell_change(tx, self.view.__name__, made=response.headers.get("Location"))
        return response
