"""The variable parts of addresses. What cannot be one is a 404 before any view runs."""

from __future__ import annotations

import unicodedata
from typing import Any

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError

from registry.domain.names import is_registration_number
from registry.domain.notices import TemplateKind

from .fields import BodyCode, Id, LanguageTag, RegistrationNumber, RosterName, Word


class IdConverter(BaseConverter):
    """``<id:...>``: an identifier; upper case is taken as lower."""

    regex = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"

    def to_python(self, value: str) -> str:
        """The identifier as it is kept."""
        return value.lower()


class CodeConverter(BaseConverter):
    """``<code:...>``: the code of a body."""

    regex = "[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"


class RosterConverter(BaseConverter):
    """``<roster:...>``: what a clinic calls a roster."""

    regex = RosterName.shape.pattern.replace("(", "(?:")


class NumberConverter(BaseConverter):
    """``<number:...>``: a registration number, which may have slashes in it, written %2F."""

    regex = ".{1,120}?"
    part_isolating = False

    def to_python(self, value: str) -> str:
        """The number in form C."""
        number = unicodedata.normalize("NFC", value)
        if not is_registration_number(number):
            raise ValidationError
        return number


class LanguageConverter(BaseConverter):
    """``<language:...>``: a language tag."""

    regex = LanguageTag.shape.pattern.replace("(", "(?:")


class NoticeConverter(BaseConverter):
    """``<notice:...>``: a notice that a body may word by itself."""

    regex = "|".join(TemplateKind)

    def to_python(self, value: str) -> TemplateKind:
        """Which."""
        return TemplateKind(value)


def register_converters(app: Flask) -> None:
    """Teach the application the variable parts."""
    app.url_map.converters.update(
        id=IdConverter,
        code=CodeConverter,
        number=NumberConverter,
        roster=RosterConverter,
        language=LanguageConverter,
        notice=NoticeConverter,
    )


def describe_converters(api: Any) -> None:
    """Describe them in OpenAPI, in the words of the fields of the same kind."""
    api.register_converter(IdConverter, lambda _: Id().json_schema())
    api.register_converter(CodeConverter, lambda _: BodyCode().json_schema())
    api.register_converter(NumberConverter, lambda _: RegistrationNumber().json_schema())
    api.register_converter(RosterConverter, lambda _: RosterName().json_schema())
    api.register_converter(LanguageConverter, lambda _: LanguageTag().json_schema())
    api.register_converter(NoticeConverter, lambda _: Word(TemplateKind).json_schema())
