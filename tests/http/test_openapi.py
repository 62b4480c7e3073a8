"""The description of the API is the code's own, and complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from registry.domain.vocabulary import Technique
from registry.http.access import ACCESS
from registry.http.app import create_app
from registry.http.examples import ANSWERS, REQUESTS
from registry.http.openapi import document, to_yaml
from registry.settings import Settings

METHODS = ("get", "post", "put", "patch", "delete")
KEPT = Path(__file__).parents[2] / "openapi.yaml"


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings(database_url="sqlite://"))


@pytest.fixture(scope="module")
def described(app: Flask) -> dict[str, Any]:
    return document(app)


@pytest.fixture(scope="module")
def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [item[method] for item in described["paths"].values() for method in METHODS if method in item]


def test_the_description_is_valid(described: dict[str, Any]) -> None:
    validate(described)


def test_the_kept_description_is_the_codes(described: dict[str, Any]) -> None:
    assert KEPT.read_text() == to_yaml(described), "run: registry openapi --write"


def test_it_is_the_same_each_time(described: dict[str, Any]) -> None:
    assert to_yaml(document(create_app(Settings(database_url="sqlite://")))) == to_yaml(described)


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(operations) -> None:
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        assert operation["summary"].endswith((".", "?"))
        assert operation["tags"]


def test_every_operation_that_needs_a_key_says_so(operations) -> None:
    for operation in operations:
        public = ACCESS[operation["operationId"]].public
        assert operation["security"] == ([] if public else [{"key": []}])


def test_every_failure_is_a_problem_document(described, operations) -> None:
    for operation in operations:
        assert "default" in operation["responses"]
        for status, response in operation["responses"].items():
            if status == "default" or int(status) >= 400:
                name = response["$ref"].rsplit("/", 1)[1]
                assert list(described["components"]["responses"][name]["content"]) == [
                    "application/problem+json"
                ]


def test_answers_may_grow_and_requests_may_not(described, operations) -> None:
    schemas = described["components"]["schemas"]
    for operation in operations:
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = content["schema"]
            named = schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
            assert named["additionalProperties"] is False
        for response in operation["responses"].values():
            for media_type, content in response.get("content", {}).items():
                if media_type != "application/json":
                    continue
                named = schemas[content["schema"]["$ref"].rsplit("/", 1)[1]]
                assert "additionalProperties" not in named


@pytest.mark.parametrize("name", [*REQUESTS, *ANSWERS])
def test_an_example_is_what_it_is_an_example_of(described: dict[str, Any], name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
    OAS31Validator(schema).validate({**REQUESTS, **ANSWERS}[name])


def test_no_value_is_left_undescribed(described: dict[str, Any]) -> None:
    for name, schema in described["components"]["schemas"].items():
        for member, value in schema.get("properties", {}).items():
            assert {"type", "$ref", "anyOf", "enum", "description"} & value.keys(), f"{name}.{member}"


def test_words_stand_once(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert schemas["Technique"]["enum"] == [technique.value for technique in Technique]
    assert schemas["Question"]["properties"]["technique"]["$ref"] == "#/components/schemas/Technique"
    assert schemas["Answer"]["properties"]["mode"] == {
        "anyOf": [{"$ref": "#/components/schemas/Mode"}, {"type": "null"}]
    }


def test_no_part_of_an_address_is_named_as_generators_name_what_is_sent(described) -> None:
    for path, item in described["paths"].items():
        if any("requestBody" in item.get(method, {}) for method in METHODS):
            assert "{body}" not in path


def test_where_an_answer_is_json_among_others_json_comes_first(operations) -> None:
    for operation in operations:
        for response in operation["responses"].values():
            content = [*response.get("content", {})]
            assert "application/json" not in content[1:]
