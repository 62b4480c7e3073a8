"""How to find out what the service offers."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest
import yaml
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from registry import clock


def test_the_api_is_described_in_json_and_in_yaml(client: FlaskClient) -> None:
    as_json, as_yaml = client.get("/openapi.json"), client.get("/openapi.yaml")
    assert as_json.content_type == "application/json"
    assert as_yaml.content_type == "application/yaml"
    assert as_json.get_json() == yaml.safe_load(as_yaml.text)
    validate(as_json.get_json())


def test_the_description_is_sent_once(client: FlaskClient) -> None:
    first = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_the_page_reaches_no_other_host(client: FlaskClient) -> None:
    page = client.get("/docs")
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "http" not in policy
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert addresses
    for address in addresses:
        assert address.startswith("/")
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("name", ["..%2fdocs.html", "docs.html", "%00", "swagger-ui.css.map"])
def test_only_the_assets_of_the_page_are_sent(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/assets/{name}").status_code == 404


def test_the_assets_carry_their_licence(client: FlaskClient) -> None:
    assert "Apache License, Version 2.0" in client.get("/docs/assets/LICENSE.txt").text


def test_the_catalog_links_to_the_description(client: FlaskClient) -> None:
    response = client.get("/.well-known/api-catalog")
    assert response.mimetype == "application/linkset+json"
    (entry,) = json.loads(response.data)["linkset"]
    assert entry["anchor"] == "https://registry.example/v1/"
    assert {link["href"] for link in entry["service-desc"]} == {
        "https://registry.example/openapi.json",
        "https://registry.example/openapi.yaml",
    }
    assert client.head("/.well-known/api-catalog").headers["Link"].endswith('rel="api-catalog"')


def test_a_vulnerability_can_be_reported(client: FlaskClient) -> None:
    response = client.get("/.well-known/security.txt")
    assert response.content_type == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in response.text.splitlines())
    assert fields["Contact"] == "mailto:security@registry.example"
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=1) < expires - clock.now() < timedelta(days=365)
