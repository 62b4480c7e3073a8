"""Forms made from the schemas of the API: what a schema takes, a form asks for, and nothing is judged twice.

A form gives the very document that a client would send as JSON, and the schema says what is wrong with it. So
a new kind of decision, or a new member of one, is asked for here as soon as the schema has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

import marshmallow as ma
from werkzeug.datastructures import MultiDict

from registry.errors import Invalid
from registry.http.fields import Date, Flag, Hours, Id, Integer, List, Nested, SetOf, Text, Word
from registry.http.requests import load

from .words import FIELD_WORDS, HINTS, VALUE_WORDS, as_words

SPARE_ROWS = 2
"""Empty rows at the end of a list that is asked for row by row."""
MOST_ROWS = 50


class Widget(StrEnum):
    """How something is asked for; each is a macro of the template."""

    LINE = "line"
    LINES = "lines"
    DAY = "day"
    END = "end"
    NUMBER = "number"
    CHOICE = "choice"
    CHOICES = "choices"
    FLAG = "flag"
    LIST = "list"
    GROUP = "group"
    ROWS = "rows"
    HIDDEN = "hidden"


BY_RULES = "As the body’s rules say"
ABSENT, NONE, GIVEN = "absent", "none", "given"
"""What is chosen of a day that may be left out, be none, or be given."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that a form asks for.

    :param name: of the input; the members of a group have the group's name and a dot before theirs.
    :param pointer: where the value is in the document (RFC 6901).
    :param value: text as it was typed; of choices and flags, what is chosen; of rows, their number.
    :param members: of a group, and of each row.
    :param absent: what it means to leave a last day out; empty where that is the same as none.
    """

    name: str
    pointer: str
    widget: Widget
    label: str
    hint: str = ""
    required: bool = False
    value: Any = ""
    options: Sequence[tuple[str, str]] = ()
    members: Sequence[Sequence[Asked]] = ()
    error: str = ""
    longest: int | None = None
    choice: str = GIVEN
    absent: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form with what was typed, and what is wrong with it.

    :param problems: what is wrong with no one field.
    """

    fields: Sequence[Asked]
    problems: Sequence[str] = field(default_factory=list)

    @property
    def errors(self) -> list[tuple[str, str]]:
        """By the name of the input, what is wrong; in order."""
        return [(one.name, one.error) for one in _flat(self.fields) if one.error]


def _flat(fields: Sequence[Asked]) -> Iterator[Asked]:
    for one in fields:
        yield one
        for row in one.members:
            yield from _flat(row)


def form_of(
    schema: ma.Schema,
    names: Sequence[str],
    typed: MultiDict[str, str] | None = None,
    known: Mapping[str, Any] | None = None,
) -> Form:
    """What a schema takes under these names.

    :param typed: what was typed into it; ``None`` before anything was.
    :param known: values of the document to begin with, where nothing was typed.
    """
    return Form([_asked(schema.fields[name], name, "", typed, (known or {}).get(name)) for name in names])


def _asked(
    given: ma.fields.Field[Any], name: str, within: str, typed: MultiDict[str, str] | None, known: Any
) -> Asked:
    full = f"{within}{name}"
    base = Asked(
        name=full,
        pointer=f"/{full.replace('.', '/')}",
        widget=Widget.LINE,
        label=as_words(FIELD_WORDS, name),
        hint=HINTS.get(name) or _as_hint(given.metadata.get("description", "")),
        required=given.required,
    )
    if isinstance(given, Nested):
        inner = [_asked(f, n, f"{full}.", typed, (known or {}).get(n)) for n, f in _inner(given).items()]
        return replace(base, widget=Widget.GROUP, members=[inner])
    if isinstance(given, SetOf) and isinstance(given.inner, Word):
        chosen = typed.getlist(full) if typed is not None else [str(one) for one in known or ()]
        return replace(base, widget=Widget.CHOICES, value=chosen, options=_options(given.inner))
    if isinstance(given, List):
        return _asked_list(given, base, typed, known)
    return _asked_plain(given, base, typed, known)


def _as_hint(description: str) -> str:
    """What the API says of a member, to whoever fills in a form."""
    return description.replace("`", "").replace("if absent", "if left empty")


def _inner(given: Nested) -> dict[str, ma.fields.Field[Any]]:
    inner: ma.Schema = given.schema
    return dict(inner.fields)


def _options(word: Word[Any]) -> list[tuple[str, str]]:
    return [(value, as_words(VALUE_WORDS, value)) for value in word.words]


def _asked_list(given: List, base: Asked, typed: MultiDict[str, str] | None, known: Any) -> Asked:
    if not isinstance(given.inner, Nested):
        value = typed.get(base.name, "") if typed is not None else "\n".join(map(str, known or ()))
        return replace(base, widget=Widget.LIST, value=value)
    rows = list(known or ())
    count = len(rows) + SPARE_ROWS
    if typed is not None:
        count = min(int(typed.get(base.name, "0")) if typed.get(base.name, "0").isdecimal() else 0, MOST_ROWS)
    members = [
        [
            _asked(
                inner,
                name,
                f"{base.name}.{place}.",
                typed,
                (dict(rows[place]) if place < len(rows) else {}).get(name),
            )
            for name, inner in _inner(given.inner).items()
        ]
        for place in range(count)
    ]
    return replace(base, widget=Widget.ROWS, value=count, members=members)


def _asked_plain(
    given: ma.fields.Field[Any], base: Asked, typed: MultiDict[str, str] | None, known: Any
) -> Asked:
    value: Any = typed.get(base.name, "") if typed is not None else _shown(known)
    if isinstance(given, Flag):
        return replace(base, widget=Widget.FLAG, value=value not in ("", "False", "false"), required=False)
    if isinstance(given, Date) and given.allow_none:
        absent = "" if given.load_default is None else BY_RULES
        left_out = ABSENT if absent else NONE
        choice = GIVEN if known else left_out
        if typed is not None:
            choice = typed.get(f"{base.name}.choice", left_out)
        return replace(base, widget=Widget.END, value=value, choice=choice, absent=absent, hint="")
    if isinstance(given, Date):
        return replace(base, widget=Widget.DAY, value=value)
    if isinstance(given, Word):
        if typed is None and known is None and not given.required and given.load_default is not ma.missing:
            value = str(given.load_default or "")
        options = _options(given)
        return replace(base, widget=Widget.CHOICE, value=value, options=[("", "–"), *options])
    if isinstance(given, Integer | Hours):
        step = "0.25" if isinstance(given, Hours) else "1"
        return replace(base, widget=Widget.NUMBER, value=value or "0" if typed is None else value, step=step)
    if isinstance(given, Id):
        return replace(base, widget=Widget.HIDDEN, value=value)
    if isinstance(given, Text):
        widget = Widget.LINES if given.lines else Widget.LINE
        return replace(base, widget=widget, value=value, longest=given.longest)
    return replace(base, value=value)


def _shown(known: Any) -> str:
    if known is None:
        return ""
    return known.isoformat() if isinstance(known, date) else str(known)


def document_of(form: Form, schema: ma.Schema) -> dict[str, Any]:
    """What was typed, as the JSON document that a client would send; what was left empty is left out."""
    found: dict[str, Any] = {}
    for one in form.fields:
        value = _value(one, schema.fields[one.name])
        if value is not ma.missing:
            found[one.name] = value
    return found


def _value(one: Asked, given: ma.fields.Field[Any]) -> Any:
    if one.widget is Widget.CHOICES:
        return list(one.value) if one.value or one.required else ma.missing
    if one.widget is Widget.LIST:
        return [line.strip() for line in str(one.value).splitlines() if line.strip()]
    if one.widget is Widget.ROWS:
        assert isinstance(given, List)
        assert isinstance(given.inner, Nested)
        rows = [_group(row, _inner(given.inner)) for row in one.members]
        return [row for row in rows if row]
    if one.widget is Widget.GROUP:
        assert isinstance(given, Nested)
        return _group(one.members[0], _inner(given)) or ma.missing
    if one.widget is Widget.FLAG:
        return one.value
    if one.widget is Widget.END and one.choice != GIVEN:
        return None if one.choice == NONE else ma.missing
    text = str(one.value)
    if one.widget is Widget.NUMBER and text:
        return _number(text)
    if not text.strip():
        return text if one.widget is Widget.END else ma.missing
    return text


def _group(members: Sequence[Asked], inner: Mapping[str, ma.fields.Field[Any]]) -> dict[str, Any]:
    """The values of a group; nothing where only flags are left as they were."""
    found = {}
    for one in members:
        name = one.name.rpartition(".")[2]
        value = _value(one, inner[name])
        if value is not ma.missing:
            found[name] = value
    return found if any(value is not False for value in found.values()) else {}


def _number(text: str) -> Any:
    """A number as JSON has it; what is none is left as it is, for the schema to refuse."""
    try:
        return int(text) if text.strip().isdecimal() else float(text)
    except ValueError:
        return text


def loaded(form: Form, schema: ma.Schema, more: Mapping[str, Any]) -> tuple[Form, Any]:
    """What the schema makes of the form, or ``None``; and the form with what is wrong in its place.

    :param more: members of the document that the form does not ask for.
    """
    try:
        return form, load(schema, {**document_of(form, schema), **more}, "json")
    except Invalid as error:
        return with_problems(form, error), None


def with_problems(form: Form, error: Invalid) -> Form:
    """The form with what an error says of its fields, each beside its field."""
    said: dict[str, str] = {}
    rest = []
    names = {one.pointer for one in _flat(form.fields)}
    for problem in error.problems:
        pointer = str(problem.get("pointer", ""))
        near = pointer
        while near and near not in names:
            near = near.rpartition("/")[0]
        if near:
            said.setdefault(near, str(problem.get("detail", error.detail)))
        else:
            rest.append(str(problem.get("detail", error.detail)))
    if not said and not rest:
        rest = [error.detail]
    return Form([_with_errors(one, said) for one in form.fields], [*form.problems, *rest])


def _with_errors(one: Asked, said: Mapping[str, str]) -> Asked:
    members = [[_with_errors(member, said) for member in row] for row in one.members]
    return replace(one, members=members, error=said.get(one.pointer, ""))


def typed_pairs(typed: MultiDict[str, str], leaving_out: Sequence[str] = ()) -> list[tuple[str, str]]:
    """What was typed, to be sent along unseen."""
    return [(name, value) for name, value in typed.items(multi=True) if name not in leaving_out]


def merged(form: Form, errors: Mapping[str, str]) -> Form:
    """The form with what is wrong with fields, by their names, where nothing more precise is known."""

    def with_error(one: Asked) -> Asked:
        inner = any(member.error for row in one.members for member in row)
        return one if one.error or inner else replace(one, error=errors.get(one.name, ""))

    return Form([with_error(one) for one in form.fields], form.problems)


def without_rules(form: Form) -> Form:
    """The form where no rule says what a last day is that is left out: then there is none."""

    def plain(one: Asked) -> Asked:
        if one.widget is not Widget.END:
            return one
        return replace(one, absent="", choice=NONE if one.choice == ABSENT else one.choice)

    return Form([plain(one) for one in form.fields], form.problems)
