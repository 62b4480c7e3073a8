"""Forms: how they are read, and what a page shows again of one that could not be recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import marshmallow as ma
from flask import g, request
from werkzeug.datastructures import MultiDict

from registry.errors import Conflict, Invalid, RegistryError, Stale
from registry.http.problems import problem_of
from registry.http.requests import load

CSRF = "csrf"


class FormSchema(ma.Schema):
    """The fields of a form. What is left empty is as if it was not sent; a field not declared is refused.

    Lists take a field that may be sent several times (checkboxes).
    """

    class Meta:
        unknown = ma.RAISE


class Version(ma.fields.Integer):
    """The version that a page was made from, in a hidden field (macro ``version``)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=True, **options)


def read_form(schema: FormSchema) -> dict[str, Any]:
    """What was typed, loaded.

    :raises registry.errors.Invalid: values are wrong, or fields unknown.
    """
    several = {f.data_key or name for name, f in schema.fields.items() if isinstance(f, ma.fields.List)}
    given = {
        name: values if name in several else values[-1]
        for name, values in filled(request.form).items()
        if name != CSRF
    }
    loaded: dict[str, Any] = load(schema, given, "form")
    return loaded


def filled(form: MultiDict[str, str]) -> dict[str, list[str]]:
    """What of a form was not left empty, with the ends of lines as everywhere else."""
    given = {name: [value.replace("\r\n", "\n") for value in values] for name, values in form.lists()}
    return {name: kept for name, values in given.items() if (kept := [v for v in values if v.strip()])}


@dataclass(frozen=True, slots=True)
class Form:
    """A form as a page shows it: empty at first; after a refusal, with what was typed and what was wrong.

    :param failure: a sentence on what stands against it.
    :param errors: by the name of the field.
    :param particulars: of the failure, those that belong to no field.
    :param is_stale: what it would change has changed meanwhile.
    """

    typed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    failure: str = ""
    title: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    particulars: Sequence[Mapping[str, Any]] = ()
    is_stale: bool = False
    status: int = 200
    sent_to: str = ""

    @property
    def has_failed(self) -> bool:
        """Whether it was sent and refused."""
        return bool(self.failure)

    def value(self, name: str, recorded: Any = "") -> Any:
        """What was typed; of a form that was not sent, what is recorded."""
        if not self.has_failed:
            return "" if recorded is None else recorded
        return self.typed.get(name, [""])[-1]

    def values(self, name: str, recorded: Sequence[Any] = ()) -> Sequence[Any]:
        """The same of a field that may be sent several times."""
        return self.typed.get(name, []) if self.has_failed else recorded

    def error(self, name: str) -> str:
        """What is wrong with a field."""
        return self.errors.get(name, "")

    def differs(self, name: str, recorded: Any) -> bool:
        """Whether what is recorded now is to be shown beside what was typed."""
        return self.is_stale and str(self.value(name)) != str("" if recorded is None else recorded)


def current_form() -> Form:
    """That of the present request."""
    form: Form = g.get("console_form") or Form()
    return form


def keep_refused(error: RegistryError) -> Form:
    """Let the page that is shown again know what was typed, and what stands against it."""
    form = refused(error)
    g.console_form = form
    return form


def refused(error: RegistryError) -> Form:
    """What was typed in the present request, and what stands against it."""
    typed = {name: list(values) for name, values in request.form.lists() if name != CSRF}
    problem = problem_of(error)
    of_fields: dict[str, str] = {}
    others: list[Mapping[str, Any]] = []
    for each in error.problems:
        name = str(each.get("pointer", "")).strip("/").split("/")[0]
        if isinstance(error, Invalid) and name:
            of_fields.setdefault(name, str(each.get("detail", "")))
        else:
            others.append(each)
    title = problem.title if isinstance(error, Conflict) else "There is a problem"
    stale = isinstance(error, Stale)
    return Form(typed, error.detail, title, of_fields, others, stale, int(problem.status), request.path)
