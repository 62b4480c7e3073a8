"""The client's classes say what openapi.yaml says: every member, type, vocabulary and nullability."""

from __future__ import annotations

import ast
import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
import yaml

import needling_registry
from needling_registry import answers, errors, events, rosters, subscriptions, vocabulary, webhooks
from needling_registry.reading import members_of, name_of
from needling_registry.vocabulary import Word

KEPT = Path(__file__).parents[2] / "openapi.yaml"
DESCRIBED = yaml.load(KEPT.read_text(), yaml.CSafeLoader)
SCHEMAS: Mapping[str, Any] = DESCRIBED["components"]["schemas"]

MODULES = (answers, errors, events, rosters, subscriptions, webhooks)
CLASSES = {
    name: kind
    for module in MODULES
    for name, kind in vars(module).items()
    if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == module.__name__
}
WORDS = {
    name: kind
    for name, kind in vars(vocabulary).items()
    if isinstance(kind, type) and issubclass(kind, Word) and kind is not Word
}
FORMATS = {date: "date", datetime: "date-time"}
PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number"}
UNTOLD = {"uuid", "uri-reference", "time-zone"}
"""Formats of what is text to the client."""


def described(schema: Mapping[str, Any]) -> Any:
    """What openapi.yaml says of a value, as far as it makes a type."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        parts = [described(part) for part in schema["anyOf"]]
        return ("null", *(part for part in parts if part != "null"))
    if isinstance(schema["type"], list):
        (kind,) = set(schema["type"]) - {"null"}
        return ("null", described({**schema, "type": kind}))
    if schema["type"] == "array":
        return ["array", described(schema["items"])]
    if schema["type"] == "object":
        return "object"
    told = schema.get("format")
    return told if told is not None and told not in UNTOLD else schema["type"]


def declared(kind: Any) -> Any:
    """The same of what a class declares."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):
        return ("null", declared(arguments[0]))
    if origin is tuple:
        return ["array", declared(arguments[0])]
    if origin is not None:
        return "object"
    if kind in FORMATS or kind in PLAIN:
        return FORMATS.get(kind) or PLAIN[kind]
    return kind.__name__


def test_there_is_a_schema_for_each_class_and_vocabulary() -> None:
    assert set(CLASSES) - set(SCHEMAS) == {"Delivery"}  # what becomes of an EventMessage or a PingMessage
    assert set(WORDS) <= set(SCHEMAS)
    assert len(CLASSES) > 20
    assert len(WORDS) >= 6


@pytest.mark.parametrize("name", sorted(set(CLASSES) & set(SCHEMAS)))
def test_a_class_has_the_members_of_its_schema(name: str) -> None:
    kind, schema = CLASSES[name], SCHEMAS[name]
    hints = get_type_hints(kind)
    members = {name_of(member): member for member in members_of(kind)}
    assert set(members) == set(schema["properties"])
    optional = {wire for wire, member in members.items() if member.default is not MISSING}
    assert set(schema["properties"]) - set(schema["required"]) == optional
    if name == "Question":  # what is sent may also be given as plain text
        return
    for wire, member in members.items():
        said, ours = described(schema["properties"][wire]), declared(hints[member.name])
        if wire in optional and ours[0] == "null":
            ours = ours[1]  # absent rather than null
        assert ours == said, f"{name}.{wire}"


@pytest.mark.parametrize("name", sorted(WORDS))
def test_a_vocabulary_has_the_words_of_its_schema(name: str) -> None:
    assert [word.value for word in WORDS[name]] == SCHEMAS[name]["enum"]


def test_a_schema_that_is_reached_from_a_class_has_a_class() -> None:
    def names(said: Any) -> set[str]:
        parts = said if isinstance(said, list | tuple) else [said]
        nested = {name for part in parts if isinstance(part, list | tuple) for name in names(part)}
        return nested | {part for part in parts if isinstance(part, str) and part in SCHEMAS}

    for name in set(CLASSES) & set(SCHEMAS):
        for schema in SCHEMAS[name]["properties"].values():
            assert names(described(schema)) <= set(CLASSES) | set(WORDS)


def test_what_is_public_is_listed_and_there() -> None:
    listed = needling_registry.__all__
    assert listed == sorted(listed, key=lambda name: (not name.isupper(), name[0].islower(), name))
    public = {name for name, value in vars(needling_registry).items() if isinstance(value, type)}
    assert public <= set(listed)
    assert all(hasattr(needling_registry, name) for name in listed)


@pytest.mark.parametrize("folder", ["clients/python/src", "examples"])
def test_those_who_use_the_register_know_it_by_its_api_alone(folder: str) -> None:
    files = sorted((KEPT.parent / folder).rglob("*.py"))
    assert len(files) > 2
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                named = [node.module or ""]
            assert not {name.partition(".")[0] for name in named} & {"registry", "tests"}, file


def test_the_package_has_the_projects_licence_and_dependencies() -> None:
    """What the client needs is locked with what the register needs."""
    root = KEPT.parent
    projects = [
        tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        for folder in (root, root / "clients/python")
    ]
    ours, clients = ({*project["dependencies"]} for project in projects)
    assert clients <= ours
    assert len({project["license"] for project in projects}) == 1
    assert (root / "clients/python/LICENSE").read_text() == (root / "LICENSE").read_text()
