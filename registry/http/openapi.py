"""The description of the API (OpenAPI 3.1), made from the same declarations that the code runs on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import flask_smorest
import yaml
from flask import Flask
from marshmallow import Schema

from registry.services.principals import Role

from . import examples
from .access import Rule
from .fields import QuerySchema, RequestSchema, ResponseSchema, describe_house_field
from .idempotency import HEADER as IDEMPOTENCY_KEY
from .idempotency import LONGEST
from .limits import Budget
from .paths import describe_converters
from .problems import PROBLEM_JSON

VERSION = "1.0.0"
JSON = "application/json"
DESCRIPTION = """\
Who may needle, on which day, according to which regulatory body. Reading what is public needs no key;
registrars and clinics send one as a bearer token.

Failures are problem documents (RFC 9457). Days are local days of the body, inclusive at both ends; instants
are in UTC. Unknown arguments and members are refused in requests, and may be added to answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What one operation takes and answers.

    :param body: the JSON that it takes, as ``given``.
    :param form: the ``multipart/form-data`` that it takes, as ``given``: a :class:`QuerySchema`, being text.
    :param query: the query arguments that it takes, as ``query``.
    :param changes_version: the request names the version that it changes in ``If-Match``, as ``version``.
    :param may_change_version: the same, where there may be none yet: ``If-Match`` is left out to make one.
    :param reads_only: a POST that changes nothing.
    :param shown_once: a member of the answer that is not kept for the replay of the request.
    :param largest_body: the name of the limit, where it is not the usual one.
    :param other_answers: statuses and media types in which it answers the same besides.
    """

    method: str
    rule: str
    answer: type[ResponseSchema] | None
    status: int
    body: type[RequestSchema] | None = None
    form: type[QuerySchema] | None = None
    query: type[QuerySchema] | None = None
    changes_version: bool = False
    may_change_version: bool = False
    reads_only: bool = False
    shown_once: str | None = None
    largest_body: str | None = None
    answer_type: str = JSON
    other_answers: tuple[tuple[int, str], ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the operation may change what is kept."""
        return self.method != "GET" and not self.reads_only

    @property
    def creates(self) -> bool:
        """Whether it is done once under an Idempotency-Key."""
        return self.method == "POST" and self.changes


def describe(operation: str, declared: Declaration, access: Rule) -> dict[str, Any]:
    """A declaration in flask-smorest's form, from which it makes the document."""
    responses: dict[int, list[dict[str, Any]]] = {}
    for status, media_type in ((declared.status, declared.answer_type), *declared.other_answers):
        # flask-smorest turns them round; generated clients take the first media type.
        responses.setdefault(status, []).insert(0, _response(declared, status, media_type))
    return {
        "arguments": {"parameters": list(_parameters(declared))},
        "response": {"responses": responses},
        "manual_doc": {
            "operationId": operation,
            "security": [] if access.public else [{"key": []}],
            "x-roles": sorted(access.roles),
        },
        "declared": (declared, access),
    }


def _response(declared: Declaration, status: int, media_type: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content_type": media_type,
        "headers": _answer_headers(declared, status),
    }
    if declared.answer is not None:
        described["schema"] = declared.answer() if media_type == JSON else {"type": "string"}
    return described


def _parameters(declared: Declaration) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    bodies: tuple[tuple[str, type[Schema] | None], ...]
    bodies = (("query", declared.query), ("json", declared.body), ("form", declared.form))
    for location, schema in bodies:
        if schema is not None:
            parameters.append({"in": location, "required": True, "schema": schema()})
    if declared.form is not None:
        parameters[-1]["content_type"] = "multipart/form-data"
    return parameters


def _answer_headers(declared: Declaration, status: int) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if declared.answer is not None and (declared.method == "GET" or declared.changes):
        headers["ETag"] = {
            "description": "Names exactly what was answered.",
            "schema": {"type": "string"},
            "example": '"3-9f86d081884c7d65"',
        }
    if status == HTTPStatus.CREATED:
        headers["Location"] = {"description": "Where it is kept.", "schema": {"type": "string"}}
    return headers


def prepare_declared(doc: dict[str, Any], doc_info: Mapping[str, Any], **_: Any) -> dict[str, Any]:
    """Add to flask-smorest's document what every operation of its kind takes and may be refused with."""
    declared, access = doc_info.get("declared", (None, None))
    if declared is None:
        return doc
    doc.setdefault("parameters", []).extend(_header_parameters(declared))
    for status in _refusals(declared, access):
        doc["responses"].setdefault(int(status), status.name)
    if declared.method == "GET":
        doc["responses"].setdefault(304, HTTPStatus.NOT_MODIFIED.name)
    return doc


def _header_parameters(declared: Declaration) -> list[dict[str, Any]]:
    if declared.method == "GET":
        return ["IF_NONE_MATCH"]  # type: ignore[list-item]  # a reference to the component, resolved by apispec
    return [
        *(["IF_MATCH"] if declared.changes_version else []),  # type: ignore[list-item]  # as above
        *(["IF_MATCH_OF_KNOWN"] if declared.may_change_version else []),  # type: ignore[list-item]  # as above
        *(["IDEMPOTENCY_KEY"] if declared.creates else []),  # type: ignore[list-item]  # as above
    ]


def _refusals(declared: Declaration, access: Rule) -> list[HTTPStatus]:
    refusals = [HTTPStatus.UNAUTHORIZED, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE]
    if access.roles != frozenset(Role):
        refusals.append(HTTPStatus.FORBIDDEN)
    if access.budget is not Budget.FREE:
        refusals.append(HTTPStatus.TOO_MANY_REQUESTS)
    if "<" in declared.rule:
        refusals.append(HTTPStatus.NOT_FOUND)
    if declared.body is not None or declared.form is not None:
        refusals += [HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE]
        refusals.append(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if declared.changes:
        refusals.append(HTTPStatus.CONFLICT)
    if declared.changes_version or declared.may_change_version:
        refusals += [HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED]
    return refusals


class Api(flask_smorest.Api):  # type: ignore[misc]  # published without types
    """flask-smorest's document, with the register's problems in place of its errors."""

    def _register_responses(self) -> None:
        content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        self.spec.components.schema("Problem", PROBLEM)
        for status in HTTPStatus:
            response: dict[str, Any] = {"description": status.phrase}
            if status >= HTTPStatus.BAD_REQUEST:
                response["content"] = content
            self.spec.components.response(status.name, response, lazy=True)
        default = {"description": "Any other failure", "content": content}
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, default, lazy=True)

    def _register_etag_headers(self) -> None:
        for name, parameter in HEADERS.items():
            self.spec.components.parameter(name, "header", dict(parameter), lazy=True)

    def _register_error_handlers(self) -> None:
        """None: see :mod:`registry.http.problems`."""


def make_api(app: Flask) -> Api:
    """The document, to which blueprints are added as they are registered."""
    api = Api(
        app,
        spec_kwargs={
            "title": "Practitioner authorization registry",
            "version": VERSION,
            "openapi_version": "3.1.0",
            "info": {
                "description": DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/", "description": "The service that this document came from"}],
        },
    )
    api.ma_plugin.converter.add_attribute_function(describe_house_field)
    api.spec.components.security_scheme("key", KEY_SCHEME)
    describe_converters(api)
    return api


def document(app: Flask) -> dict[str, Any]:
    """The description of an application's API, in a stable order: paths and components by name."""
    spec = app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec
    described: dict[str, Any] = json.loads(json.dumps(spec.to_dict()))  # plain values alone, and a copy
    members = ("openapi", "info", "servers", "tags", "paths", "webhooks", "components")
    ordered = {name: described[name] for name in members if name in described}
    ordered["tags"] = sorted(ordered.get("tags", []), key=lambda tag: str(tag["name"]))
    ordered["paths"] = {path: _in_order(item) for path, item in sorted(ordered["paths"].items())}
    ordered["components"] = {
        kind: dict(sorted(parts.items())) for kind, parts in sorted(ordered["components"].items())
    }
    for name, example in {**examples.REQUESTS, **examples.ANSWERS}.items():
        if name in ordered["components"]["schemas"]:
            ordered["components"]["schemas"][name]["examples"] = [example]
    return ordered


def _in_order(path_item: dict[str, Any]) -> dict[str, Any]:
    for operation in path_item.values():
        if isinstance(operation, dict) and "responses" in operation:
            operation["responses"] = dict(sorted(operation["responses"].items()))
    methods = ("parameters", "get", "post", "put", "patch", "delete")
    return {method: path_item[method] for method in methods if method in path_item}


def to_yaml(described: Mapping[str, Any]) -> str:
    """A description as YAML, the same text for the same description."""

    return yaml.dump(
        described, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False
    )


class _Plain(yaml.CSafeDumper):
    """Without anchors, and with paragraphs as blocks."""

    def ignore_aliases(self, data: object) -> bool:
        """No value is written as a reference to another."""
        del data
        return True


def _paragraphs(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _paragraphs)


KEY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, made with `registry keys create` or by an operator; or, where they are taken,"
    " a token of the identity provider. Roles: clinic, registrar and auditor of one body, operator.",
}

IF_MATCH = {
    "name": "If-Match",
    "required": True,
    "description": "The ETag that came with the resource, in its quotes.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,15}-[0-9a-f]{16}"$'},
    "example": '"3-9f86d081884c7d65"',
}
HEADERS: Mapping[str, Mapping[str, Any]] = {
    "IF_MATCH": IF_MATCH,
    "IF_MATCH_OF_KNOWN": {
        **IF_MATCH,
        "required": False,
        "description": "The ETag that came with what is to be replaced, in its quotes; left out to make it.",
    },
    "IF_NONE_MATCH": {
        "name": "If-None-Match",
        "required": False,
        "description": "The ETag of an answer that the caller has: 304 where it is still the answer.",
        "schema": {"type": "string"},
        "example": '"9f86d081884c7d65"',
    },
    "IDEMPOTENCY_KEY": {
        "name": IDEMPOTENCY_KEY,
        "required": False,
        "description": "Makes the request safe to repeat: under the same key the same request is done once"
        " and answered the same for at least 24 hours. Refused requests free their key.",
        "schema": {"type": "string", "pattern": "^[ -~]+$", "maxLength": LONGEST},
        "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    },
}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Which problem; leads to a page about it.",
            "examples": ["/problems/invalid-values"],
        },
        "title": {"type": "string", "examples": ["Values cannot be right"]},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "examples": [422]},
        "detail": {"type": "string", "examples": ["on: Give a day as YYYY-MM-DD."]},
        "instance": {"type": "string", "format": "uri-reference"},
        "request_id": {"type": "string", "description": "Under which it is logged."},
        "errors": {
            "type": "array",
            "description": "Particulars: wrong values with their place (`pointer`, a JSON Pointer into the"
            " body, `parameter` or `header`), unmet requirements, senseless decisions.",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "examples": ["/technique"]},
                    "parameter": {"type": "string"},
                    "header": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
