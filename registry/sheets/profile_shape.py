"""The shape of a profile's document, checked by marshmallow: unknown keys are refused, defaults filled in."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from marshmallow import Schema, ValidationError, fields, missing, validate, validates, validates_schema

from registry.domain.vocabulary import Mode, PracticePermission, Standing, Technique
from registry.errors import Invalid

from .dates import DatePattern

LEAVES = {
    PracticePermission.YES: {Standing.IN_FORCE},
    PracticePermission.WITH_CONDITIONS: {Standing.IN_FORCE},
    PracticePermission.UNKNOWN: {Standing.UNKNOWN},
    PracticePermission.NO: {
        Standing.LAPSED,
        Standing.SUSPENDED,
        Standing.REVOKED,
        Standing.SURRENDERED,
    },
}
"""The standings that go with what a word says of practice."""

ENCODINGS = ("utf-8", "utf-16", "iso-8859-1", "cp1252", "iso-8859-15", "cp1250", "iso-8859-2")


NOT_KEPT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Control characters but for the tab, which parts columns, halves of characters, and non-characters."""

LONGEST = 500
"""Characters of a name, a word or a sentence in a profile."""


def _text(**more: Any) -> fields.String:
    """A word or a sentence: not empty, no control characters."""
    return fields.String(validate=_check_text, **more)


def _check_text(text: str) -> None:
    if not text.strip() or len(text) > LONGEST or any(c < " " for c in text):
        raise ValidationError(f"Give a text of 1 to {LONGEST} characters without control characters.")


def _column(**more: Any) -> fields.Function:
    """A column's name, several of them, or ``{"constant": "..."}``."""
    return fields.Function(deserialize=_read_column, **{"load_default": None, **more})


def _read_column(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else value
    if isinstance(value, Mapping) and list(value) == ["constant"]:
        texts = [value["constant"]]
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t for t in texts):
        raise ValidationError('Give a column name, a list of them, or {"constant": "..."}.')
    return value


def _read_former(value: Any) -> Any:
    """The column that holds former names as a list, or the parts of each former name."""
    if isinstance(value, str) and value:
        return value
    if not isinstance(value, list):
        raise ValidationError("Give a column name, or a list of names with their parts.")
    return _NameShape(many=True).load(value)


def _read_absent(value: Any) -> Any:
    """What an absent status means: ``"in_force"``, or what a word would."""
    return value if value == "in_force" else _MeaningShape().load(value)


def _columns_and_words(key: str | None = None) -> fields.Dict:
    words = fields.List(fields.String(), validate=validate.Length(1))
    return fields.Dict(_text(), words, load_default=dict, data_key=key)


class _BodyShape(Schema):
    code = fields.String(required=True, validate=validate.Regexp(r"[a-z0-9][a-z0-9-]{1,39}\Z"))
    name = _text(required=True)
    jurisdiction = fields.String(required=True, validate=validate.Regexp(r"[A-Z]{2}(-[A-Z0-9]{1,3})?\Z"))
    zone = fields.String(required=True, validate=validate.OneOf(sorted(available_timezones())))
    website = fields.Url(load_default=None, schemes={"https", "http"})


class _FileShape(Schema):
    delimiter = fields.String(load_default=None, validate=validate.OneOf([",", ";", "\t", "|"]))
    encoding = fields.String(load_default=None)
    sheet = _text(load_default=None)
    lists = fields.String(load_default="separated", validate=validate.OneOf(["separated", "json"]))

    @validates("encoding")
    def known(self, value: str | None, **_: Any) -> None:
        try:
            name = "utf-8" if value is None else codecs.lookup(value).name
        except LookupError:
            name = ""
        if name not in ENCODINGS:
            raise ValidationError(f"Give one of {', '.join(ENCODINGS)}.")


class _NameShape(Schema):
    name = _column()
    name_order = fields.String(
        load_default="given_first", validate=validate.OneOf(["given_first", "family_first"])
    )
    prefix = _column()
    given = _column()
    middle = _column()
    family = _column()
    suffix = _column()
    credentials = _column()

    @validates_schema
    def names_someone(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("name") is None and data.get("family") is None and data.get("given") is None:
            raise ValidationError("Say which columns hold the name.", "name")


class _ColumnsShape(_NameShape):
    number = _column(required=True, load_default=missing)
    former = fields.Function(deserialize=_read_former, load_default=list)
    city = _column()
    languages = _column()
    withheld = _column()
    authorizations = _text(load_default=None)


class _MeaningShape(Schema):
    practice = fields.Enum(PracticePermission, by_value=True, required=True)
    disciplinary = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    leaves = fields.Enum(Standing, by_value=True, load_default=None)

    @validates_schema
    def agrees(self, data: Mapping[str, Any], **_: Any) -> None:
        allowed = LEAVES[data["practice"]]
        if data.get("leaves") is not None and data["leaves"] not in allowed:
            names = ", ".join(sorted(allowed))
            raise ValidationError(f'With practice "{data["practice"]}" it can leave: {names}.', "leaves")


class _StatusShape(Schema):
    column = _column()
    words = fields.Dict(_text(), fields.Nested(_MeaningShape), load_default=dict)
    absent = fields.Function(deserialize=_read_absent, load_default=None)
    practice = _text(load_default=None)
    disciplinary = _text(load_default=None)
    standing = _text(load_default=None)


class _TermShape(Schema):
    first_day = _column()
    last_day = _column()
    renewed_day = _column()
    status_day = _column()
    no_last_day = fields.String(load_default="unknown", validate=validate.OneOf(["unknown", "open_ended"]))
    never = fields.List(fields.String(), load_default=list)
    conditions = _column()
    status = fields.Nested(_StatusShape, load_default=None)


class _RegistrationShape(_TermShape):
    register_class = _column()


class _AuthorizationShape(_TermShape):
    techniques = fields.List(
        fields.Enum(Technique, by_value=True), required=True, validate=validate.Length(1)
    )
    when = _columns_and_words()
    mode = fields.Enum(Mode, by_value=True, load_default=Mode.INDEPENDENT)
    excluded_regions = fields.List(_text(), load_default=list)


class _DatesShape(Schema):
    formats = fields.List(fields.String(), load_default=lambda: ["YYYY-MM-DD"], validate=validate.Length(1))

    @validates("formats")
    def readable(self, value: list[str], **_: Any) -> None:
        for text in value:
            try:
                DatePattern.of(text)
            except ValueError as error:
                raise ValidationError(str(error)) from error


class _ProfileShape(Schema):
    title = fields.String(load_default="")
    body = fields.Nested(_BodyShape, load_default=None)
    file = fields.Nested(_FileShape, load_default=lambda: _FileShape().load({}))
    only_rows = _columns_and_words("only")
    columns = fields.Nested(_ColumnsShape, required=True)
    registration = fields.Nested(_RegistrationShape, load_default=lambda: _RegistrationShape().load({}))
    authorizations = fields.List(fields.Nested(_AuthorizationShape), load_default=list)
    dates = fields.Nested(_DatesShape, load_default=lambda: _DatesShape().load({}))


def read_shape(document: Any) -> dict[str, Any]:
    """The document with its defaults filled in.

    :raises registry.errors.Invalid: with a JSON Pointer for each place that cannot be right.
    """
    if not isinstance(document, Mapping):
        raise Invalid.at("", "A profile is an object.")
    for pointer, text in _texts("", document):
        if NOT_KEPT.search(text):
            raise Invalid.at(pointer, "It holds characters that cannot be kept.")
    try:
        shape: dict[str, Any] = _ProfileShape().load(document)
    except ValidationError as error:
        problems = [{"pointer": p, "detail": d} for p, d in _flat("", error.messages)]
        raise Invalid("This mapping profile cannot be used.", problems) from error
    return shape


def _texts(pointer: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text in a document, keys among them, with its place."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield pointer, str(key)
            yield from _texts(f"{pointer}/{_escaped(str(key))}", below)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _texts(f"{pointer}/{index}", below)


def _flat(pointer: str, messages: Any) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            part = "" if key in ("_schema", "key", "value") else f"/{_escaped(str(key))}"
            yield from _flat(pointer + part, below)
    else:
        for message in [messages] if isinstance(messages, str) else messages:
            yield pointer, str(message)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
