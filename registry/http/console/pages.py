"""How a page of the console is declared: see the package's own description."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import Any

import marshmallow as ma
import structlog
from flask import Blueprint, current_app, redirect, request, url_for
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from werkzeug import Response as AnyResponse

from registry.errors import Conflict, Invalid, NotFound
from registry.http.access import Rule, body_was_asked, current_principal, rule_of
from registry.http.auditing import tell_change, tell_withheld_seen
from registry.http.fields import QuerySchema
from registry.http.problems import is_duplicate
from registry.http.requests import load
from registry.http.sessions import CONSOLE, refuse_foreign_form, refuse_forged_form, tell_next_page
from registry.http.tracing import request_id
from registry.services.principals import OF_A_BODY
from registry.store.database import reading, writing

from .forms import FormSchema, filled, keep_refused, read_form
from .rendering import page_response

log = structlog.get_logger(__name__)
blueprint = Blueprint(CONSOLE.removesuffix("."), __name__, url_prefix="/console")


QUERIES: dict[str, QuerySchema] = {}
"""What pages are asked by, by the name of the view."""


class ForgottenBodyError(Exception):
    """A view under an ``own_body`` rule answered without asking whose the resource is."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A template, and what it is shown with."""

    template: str
    context: Mapping[str, Any]
    status: int = 200


@dataclass(frozen=True, slots=True)
class Done:
    """What was wished is recorded; a page says so."""

    told: str
    address: str


Result = Shown | Done | AnyResponse
View = Callable[..., Result]


def show(template: str, *, status: int = 200, **context: Any) -> Shown:
    """Show a template."""
    return Shown(template, context, status)


def done(told: str, page: str, **values: Any) -> Done:
    """Go on at a page, which says once what was done.

    :param page: the name of its view.
    """
    return Done(told, url_for(CONSOLE + page, **values))


def page(rule: str, *, query: type[QuerySchema] | None = None) -> Callable[[View], View]:
    """Register a view that shows something: ``view(tx, **path, query=...)``.

    :param rule: its address, after ``/console``.
    """

    def register(view: View) -> View:
        access = rule_of(view.__name__)
        schema = QUERIES[view.__name__] = (query or QuerySchema)()

        @wraps(view)
        def handle(**path: Any) -> AnyResponse:
            asked = _read_query(schema)
            arguments = path if query is None else {**path, "query": asked}
            return _respond(_perform(view, access, reading(), arguments))

        blueprint.add_url_rule(rule, view.__name__, handle, methods=["GET"])
        return view

    return register


def action(
    rule: str,
    *,
    form: type[FormSchema] | None = None,
    again: View | None = None,
    reads_only: bool = False,
    largest_body: str | None = None,
) -> Callable[[View], View]:
    """Register a view that does something: ``view(tx, **path, given=...)``.

    :param again: the view of the page that is shown again where it could not be done; called with those parts
        of the path that it takes, and with the ``query`` that the form was sent to, where it takes one.
    :param reads_only: it only shows what would be.
    :param largest_body: the name of the limit that holds for what is sent, where it is not the usual one.
    """

    def register(view: View) -> View:
        access, schema = rule_of(view.__name__), (form or FormSchema)()

        def perform(path: Mapping[str, Any]) -> Result:
            arguments = {**path, **({"given": read_form(schema)} if form is not None else {})}
            if reads_only:
                return _perform(view, access, reading(), arguments)
            result = _perform(view, access, writing(), arguments, changes=True)
            log.info(
                "changed",
                operation=view.__name__,
                principal=current_principal().name,
                request_id=request_id(),
            )
            return result

        @wraps(view)
        def handle(**path: Any) -> AnyResponse:
            if largest_body is not None:
                request.max_content_length = current_app.config[largest_body]
            refuse_foreign_form()
            refuse_forged_form()
            try:
                return _respond(perform(path))
            except (Invalid, Conflict, IntegrityError) as error:
                if again is None:
                    raise
                return _show_again(again, error, path)

        blueprint.add_url_rule(rule, view.__name__, handle, methods=["POST"])
        return view

    return register


def _read_query(schema: QuerySchema) -> dict[str, Any]:
    """The arguments, loaded; of filters, what was left empty is as if it was not sent."""
    several = {f.data_key or name for name, f in schema.fields.items() if isinstance(f, ma.fields.List)}
    given = filled(request.args)
    asked = {name: values if name in several else values[-1] for name, values in given.items()}
    loaded: dict[str, Any] = load(schema, asked, "query")
    return loaded


def _perform(
    view: View,
    access: Rule,
    transaction: AbstractContextManager[Connection],
    arguments: Mapping[str, Any],
    *,
    changes: bool = False,
) -> Result:
    with transaction as tx:
        result = view(tx, **arguments)
        if access.own_body and current_principal().role in OF_A_BODY and not body_was_asked():
            raise ForgottenBodyError(view.__name__)
        if changes:
            tell_change(tx, view.__name__, made=result.address if isinstance(result, Done) else None)
    tell_withheld_seen(view.__name__)
    return result


def _show_again(again: View, error: Exception, path: Mapping[str, Any]) -> AnyResponse:
    """The page of a form, with what was typed and what stands against it."""
    if isinstance(error, IntegrityError):
        if not is_duplicate(error):
            raise error
        error = Conflict("Someone recorded the same at the same moment; look at what is recorded now.")
    assert isinstance(error, Invalid | Conflict)
    form = keep_refused(error)
    takes = signature(again).parameters
    arguments = {name: value for name, value in path.items() if name in takes}
    if "query" in takes:
        arguments["query"] = _read_query(QUERIES[again.__name__])
    try:
        result = _perform(again, rule_of(again.__name__), reading(), arguments)
    except NotFound:
        raise error from None
    if isinstance(result, Shown):
        result = Shown(result.template, result.context, form.status)
    return _respond(result)


def _respond(result: Result) -> AnyResponse:
    if isinstance(result, Shown):
        return page_response(result.template, result.context, result.status)
    if isinstance(result, Done):
        response = redirect(result.address, 303)
        tell_next_page(response, result.told)
        return response
    return result
