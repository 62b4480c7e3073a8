"""The fields that every schema of the API is made of: strict, and telling what would be right.

marshmallow's own take more than they say (``Date`` takes ``20260303``, ``Integer`` 5.7, ``Boolean`` "yes",
``String`` NUL, which PostgreSQL refuses). These take what their OpenAPI description says and nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from inspect import getdoc
from typing import Any, TypeVar
from zoneinfo import available_timezones

import marshmallow as ma
from marshmallow.exceptions import ValidationError
from marshmallow.validate import Length

from registry.delivery.mail import LONGEST_ADDRESS, mail_address
from registry.domain.names import LONGEST_NUMBER, is_registration_number

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)

FIRST_YEAR, LAST_YEAR = 1900, 2200
BOUNDS = frozenset(
    {"pattern", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "multipleOf"}
)
"""What is asked of what is sent now; what was kept long ago, or imported, may be within others."""

MOST_HOURS = 10_000
END_OF_DAY = (23, 59)
LARGEST_INTEGER = 2**53 - 1
"""What a double holds exactly (RFC 8259, section 6), and every column too."""

CONTROL = r"\u0000-\u001f\u007f-\u009f"
LINE = rf"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*$"
LINES = r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f]"
LINES += r"[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$"


class QuerySchema(ma.Schema):
    """The query arguments of an operation: each known, each given once."""

    class Meta:
        unknown = ma.RAISE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.error_messages["unknown"] = f"There is no such argument. {_known(self)}"

    def on_bind_field(self, field_name: str, field_obj: ma.fields.Field[Any]) -> None:
        """An argument that is left out is ``None``, but none can be given as null."""
        del field_name
        field_obj.allow_none = False


class RequestSchema(ma.Schema):
    """A JSON object that is sent to the register; an unknown member is refused."""

    class Meta:
        unknown = ma.RAISE

    error_messages = {"type": "Send a JSON object."}  # noqa: RUF012 - so declared by marshmallow

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.error_messages["unknown"] = f"There is no such member. {_known(self)}"


class ResponseSchema(ma.Schema):
    """A JSON object that the register answers with: every member always present, more may be added later."""

    class Meta:
        unknown = ma.EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: ma.fields.Field[Any]) -> None:
        """Document each member as present; what may be absent is null instead."""
        del field_name
        field_obj.required = True


def _known(schema: ma.Schema) -> str:
    names = sorted(field.data_key or name for name, field in schema.load_fields.items())
    return f"Known are: {', '.join(names)}." if names else "None is known here."


class HouseField(ma.fields.Field[T]):
    """A field that names what would be right in every refusal.

    :cvar wanted: completes "Give ...".
    """

    wanted = "a value"
    default_error_messages = {  # noqa: RUF012 - so declared by marshmallow
        "required": "This is required: give {wanted}.",
        "null": "This cannot be null: give {wanted}.",
        "invalid": "Give {wanted}.",
    }

    def make_error(self, key: str, **particulars: Any) -> ValidationError:
        """A refusal, with what would be right."""
        return super().make_error(key, wanted=self.wanted, **particulars)

    def read(self, value: object) -> T:
        """What a given value stands for; refused with :meth:`make_error`."""
        raise NotImplementedError

    def write(self, value: T) -> Any:
        """A value (not ``None``) in JSON."""
        return value

    def json_schema(self) -> dict[str, Any]:
        """How OpenAPI describes the values."""
        raise NotImplementedError

    def _deserialize(
        self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> T:
        del attr, data, kwargs
        return self.read(value)

    def _serialize(self, value: T | None, attr: str | None, obj: object, **kwargs: Any) -> Any:
        del attr, obj, kwargs
        return None if value is None else self.write(value)

    def text(self, value: object) -> str:
        """``value``, if it is text without lone surrogates."""
        if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
            raise self.make_error("invalid")
        return value

    @property
    def in_query(self) -> bool:
        """Whether the value comes from a query string, where everything is text."""
        return isinstance(self.root, QuerySchema)


def describe_house_field(converter: Any, field: ma.fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    """apispec's way to a field's description; what the schema itself says of the field goes first."""
    if isinstance(field, Word) and field.vocabulary is not None:
        return _described_vocabulary(converter.spec.components, field, field.vocabulary, ret)
    if ret.get("default", ...) is None:
        del ret["default"]  # left out, rather than null
    described = field.json_schema() if isinstance(field, HouseField) else {}
    if isinstance(field.root, ResponseSchema):
        for bound in BOUNDS:
            described.pop(bound, None)
            ret.pop(bound, None)
    if not described:
        return {}
    if field.allow_none:
        described["type"] = [described["type"], "null"]
        if "enum" in described:
            described["enum"] = [*described["enum"], None]
    return {key: value for key, value in described.items() if key not in ret}


def _described_vocabulary(
    components: Any, field: Word[Any], vocabulary: type[StrEnum], ret: dict[str, Any]
) -> dict[str, Any]:
    """A reference to the words, which stand once in the document: one type in clients made from it."""
    name = vocabulary.__name__
    if name not in components.schemas:
        first, _, _ = (getdoc(vocabulary) or "").partition("\n\n")
        components.schema(name, {**field.json_schema(), "description": first})
    if ret.get("default", ...) is None:
        del ret["default"]  # left out, rather than null
    reference = {"$ref": f"#/components/schemas/{name}"}
    for member in ("type", "enum"):
        ret.pop(member, None)
    return {"anyOf": [reference, {"type": "null"}]} if field.allow_none else reference


class Text(HouseField[str]):
    """Text of people: one line, or with ``lines`` several; kept in Unicode's normalization form C.

    :param longest: in characters, as sent.
    :param lines: whether line feeds may separate lines; CR LF is taken as LF.
    """

    default_error_messages = {  # noqa: RUF012 - so declared by marshmallow
        "blank": "This cannot be blank: give {wanted}.",
        "long": "This has {length} characters: give {wanted}.",
        "control": "The control character U+{code:04X} cannot be kept: give {wanted}.",
    }

    def __init__(self, longest: int = 200, *, lines: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.longest, self.lines = longest, lines
        self.wanted = f"{'text' if lines else 'one line of text'} of at most {longest:,} characters"

    def read(self, value: object) -> str:
        given = self.text(value)
        if self.lines:
            given = given.replace("\r\n", "\n")
        if len(given) > self.longest:
            raise self.make_error("long", length=len(given))
        if not given or given.isspace():
            raise self.make_error("blank")
        for character in given:
            if unicodedata.category(character) == "Cc" and not (self.lines and character == "\n"):
                raise self.make_error("control", code=ord(character))
        return unicodedata.normalize("NFC", given)

    def json_schema(self) -> dict[str, Any]:
        pattern = LINES if self.lines else LINE
        return {"type": "string", "minLength": 1, "maxLength": self.longest, "pattern": pattern}


class Patterned(HouseField[str]):
    """Text of a fixed shape.

    :cvar shape: the whole of the text matches it; plain enough to mean the same in ECMAScript.
    """

    shape = re.compile("")
    longest: int | None = None
    example: str = ""

    def read(self, value: object) -> str:
        given = self.text(value)
        if (self.longest and len(given) > self.longest) or not self.shape.fullmatch(given):
            raise self.make_error("invalid")
        return given

    def json_schema(self) -> dict[str, Any]:
        described: dict[str, Any] = {"type": "string", "pattern": f"^{self.shape.pattern}$"}
        if self.longest:
            described["maxLength"] = self.longest
        return {**described, "examples": [self.example]}


class BodyCode(Patterned):
    """The short name of a regulatory body in addresses."""

    wanted = "a body's code: lower-case letters, digits and hyphens, such as ca-on"
    shape = re.compile("[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
    longest: int | None = 32
    example = "ca-on"


class RosterName(Patterned):
    """What a clinic calls one of its rosters, in addresses."""

    wanted = "a roster's name: letters, digits, hyphens, dots and underscores, at most 64, such as staff-2026"
    shape = re.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
    longest: int | None = 64
    example = "staff"


class Jurisdiction(Patterned):
    """A country or a part of one (ISO 3166-1 alpha-2, ISO 3166-2)."""

    wanted = "an ISO 3166 code, such as NZ or CA-ON"
    shape = re.compile("[A-Z]{2}(-[A-Z0-9]{1,3})?")
    longest: int | None = 6
    example = "CA-ON"


class LanguageTag(Patterned):
    """A language (RFC 5646): language, script, region."""

    wanted = "a language tag, such as fr or pt-BR"
    shape = re.compile("[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
    longest: int | None = 12
    example = "fr"


class HttpsAddress(Patterned):
    """A web page, over https, without user name or password (RFC 3986)."""

    wanted = "an https address of at most 500 characters, such as https://www.example.org/register"
    shape = re.compile(
        r"https://[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
        r"(:[1-9][0-9]{0,3})?(/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
        r"(\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
    )
    longest: int | None = 500
    example = "https://www.example.org/register"


class MailAddress(HouseField[str]):
    """A mail address that something can be sent to; its domain as the DNS knows it."""

    wanted = "a mail address, such as ana@example.org"

    def read(self, value: object) -> str:
        try:
            return mail_address(unicodedata.normalize("NFC", self.text(value)))
        except ValueError as error:
            raise self.make_error("invalid") from error

    def json_schema(self) -> dict[str, Any]:
        local = "[A-Za-z0-9]([A-Za-z0-9_+-]|[.][A-Za-z0-9_+-]){0,30}"
        return {
            "type": "string",
            "pattern": f"^{local}@([a-z0-9]{{1,20}}[.]){{1,3}}[a-z]{{2,10}}$",
            "maxLength": LONGEST_ADDRESS,
            "examples": ["ana@example.org"],
        }


class RegistrationNumber(HouseField[str]):
    """A registration number as its body writes it: printable, with spaces inside at most."""

    wanted = "a registration number: 1 to 40 printable characters, a letter or digit among them"
    longest = LONGEST_NUMBER

    def read(self, value: object) -> str:
        given = unicodedata.normalize("NFC", self.text(value))
        if not is_registration_number(given):
            raise self.make_error("invalid")
        return given

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "maxLength": self.longest,
            "pattern": "^[A-Za-z0-9]([A-Za-z0-9 ./_-]*[A-Za-z0-9])?$",
            "examples": ["PT-10442"],
        }


class Id(HouseField[str]):
    """An identifier of the register: a UUID in its canonical form (RFC 9562, section 4)."""

    wanted = "an identifier such as 01890a5d-ac96-774b-bcce-b302099a8057"
    shape = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

    def read(self, value: object) -> str:
        given = self.text(value).lower()
        if not self.shape.fullmatch(given):
            raise self.make_error("invalid")
        return given

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "uuid"}


class Date(HouseField[date]):
    """A day, as YYYY-MM-DD (ISO 8601 extended, RFC 3339 full-date)."""

    wanted = f"a day as YYYY-MM-DD, from {FIRST_YEAR}-01-01 to {LAST_YEAR}-12-31"
    shape = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
    default_error_messages = {  # noqa: RUF012 - so declared by marshmallow
        "impossible": "There is no such day: give {wanted}."
    }

    def read(self, value: object) -> date:
        given = self.text(value)
        if not self.shape.fullmatch(given):
            raise self.make_error("invalid")
        try:
            day = date.fromisoformat(given)
        except ValueError as error:
            raise self.make_error("impossible") from error
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise self.make_error("invalid")
        return day

    def write(self, value: date) -> str:
        return value.isoformat()

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date", "examples": ["2026-03-31"]}


class Instant(HouseField[datetime]):
    """An instant with its offset from UTC (RFC 3339 date-time); loaded as UTC."""

    wanted = (
        "an instant with its offset from UTC, such as 2026-03-31T09:30:00Z or 2026-03-31T09:30:00+02:00"
        " (in an address, + is written %2B)"
    )
    shape = re.compile(
        "([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]((?:[01][0-9]|2[0-3]):[0-5][0-9]):([0-5][0-9]|60)"
        r"(\.[0-9]{1,30})?([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
    )
    default_error_messages = {  # noqa: RUF012 - so declared by marshmallow
        "impossible": "There is no such instant: give {wanted}."
    }

    def read(self, value: object) -> datetime:
        match = self.shape.fullmatch(self.text(value))
        if match is None or not FIRST_YEAR <= int(match[1][:4]) <= LAST_YEAR:
            raise self.make_error("invalid")
        day, minute, second, fraction, offset = match.group(1, 2, 3, 4, 5)
        leap = second == "60"
        written = f"{day}T{minute}:{'59' if leap else second + (fraction or '')[:7]}{offset.upper()}"
        try:
            instant = datetime.fromisoformat(written).astimezone(UTC)
        except ValueError as error:
            raise self.make_error("impossible") from error
        if not leap:
            return instant
        if (instant.hour, instant.minute) != END_OF_DAY:  # leap seconds are inserted nowhere else
            raise self.make_error("impossible")
        return instant + timedelta(seconds=1)

    def write(self, value: datetime) -> str:
        return instant_text(value)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time", "examples": ["2026-03-31T09:30:00Z"]}


def instant_text(instant: datetime) -> str:
    """RFC 3339, in UTC, written with Z."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


class Integer(HouseField[int]):
    """A whole number. In JSON a number, never text; in a query string its digits."""

    def __init__(self, least: int = 0, most: int = LARGEST_INTEGER, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most
        self.wanted = f"a whole number from {least} to {most}"

    def read(self, value: object) -> int:
        number = self._digits(value) if self.in_query else value
        if isinstance(number, float) and number.is_integer():
            number = int(number)  # 5.0 is the integer 5 in JSON Schema
        if isinstance(number, bool) or not isinstance(number, int) or not self.least <= number <= self.most:
            raise self.make_error("invalid")
        return number

    def _digits(self, value: object) -> int | None:
        return int(value) if isinstance(value, str) and re.fullmatch("-?[0-9]{1,16}", value) else None

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Flag(HouseField[bool]):
    """True or false. In JSON a boolean, never text; in a query string its name."""

    wanted = "true or false"

    def read(self, value: object) -> bool:
        if self.in_query and value in ("true", "false"):
            return value == "true"
        if not isinstance(value, bool) or self.in_query:
            raise self.make_error("invalid")
        return value

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


class Hours(HouseField[float]):
    """Clock hours, in quarters."""

    wanted = f"hours in quarters, from 0 to {MOST_HOURS}, such as 27.5"

    def read(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        if not 0 <= value <= MOST_HOURS or value * 4 % 1:  # NaN is not between
            raise self.make_error("invalid")
        return float(value) + 0.0  # of the two zeros, the one without a sign

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "number",
            "minimum": 0,
            "maximum": MOST_HOURS,
            "multipleOf": 0.25,
            "examples": [27.5],
        }


class Word(HouseField[W]):
    """A word of a closed vocabulary, by its value.

    :param only: the words that may be given here; all where it is ``None``.
    """

    def __init__(self, vocabulary: type[W], only: Collection[W] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.vocabulary = vocabulary if only is None else None
        self.words = {str(word): word for word in vocabulary if only is None or word in only}
        self.wanted = f"one of {', '.join(self.words)}"

    def read(self, value: object) -> W:
        word = self.words.get(value) if isinstance(value, str) else None
        if word is None:
            raise self.make_error("invalid")
        return word

    def write(self, value: W) -> str:
        return str(value)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words)}


class TimeZone(HouseField[str]):
    """A time zone, by its name in the IANA database."""

    wanted = "the IANA name of a time zone, such as Pacific/Auckland"

    def read(self, value: object) -> str:
        given = self.text(value)
        if given not in _zones():
            raise self.make_error("invalid")
        return given

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": 64, "format": "time-zone", "examples": ["Pacific/Auckland"]}


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """Zones of places; not the aliases that a system adds for itself."""
    return frozenset(zone for zone in available_timezones() if "/" in zone or zone == "UTC")


class List(ma.fields.List[Any]):
    """A JSON array.

    :param most: how many at most.
    """

    default_error_messages = {  # noqa: RUF012 - so declared by marshmallow
        "required": "This is required: give a list.",
        "null": "This cannot be null: give a list.",
        "invalid": "Give a list.",
    }

    def __init__(self, inner: Any, *, least: int = 0, most: int = 1000, **options: Any) -> None:
        error = f"Give {least} to {most:,} of them." if least else f"Give at most {most:,} of them."
        super().__init__(inner, validate=Length(min=least or None, max=most, error=error), **options)


class SetOf(List):
    """A JSON array of different words, in any order; loaded as a frozenset, dumped sorted."""

    default_error_messages = {"twice": "Give each only once."}  # noqa: RUF012 - so declared by marshmallow

    def __init__(self, inner: Any, **options: Any) -> None:
        super().__init__(inner, **options)
        self.metadata = {"uniqueItems": True, **self.metadata}

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Any:
        given = super()._deserialize(value, attr, data, **options)
        if len(frozenset(given)) != len(given):
            raise self.make_error("twice")
        return frozenset(given)

    def _serialize(self, value: Iterable[Any] | None, attr: Any, obj: Any, **options: Any) -> Any:
        return super()._serialize(None if value is None else sorted(value), attr, obj, **options)


class Nested(ma.fields.Nested):
    """A JSON object within another."""

    default_error_messages = {  # noqa: RUF012 - so declared by marshmallow
        "required": "This is required: give an object.",
        "null": "This cannot be null: give an object.",
    }
