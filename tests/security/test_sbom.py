"""The bill of materials names all that runs, as it is locked."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from scripts import sbom
from scripts.check_locks import ROOT


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    """As it is written, and held to the schema of CycloneDX meanwhile."""
    document: dict[str, Any] = json.loads(sbom.text_of(sbom.made()))
    return document


def pins(name: str) -> dict[str, tuple[str, set[str]]]:
    """Of a lock file: by package its version and its hashes, read without what makes the bill."""
    found: dict[str, tuple[str, set[str]]] = {}
    package = ""
    for line in (ROOT / "requirements" / name).read_text().splitlines():
        if pin := re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line):
            package = re.sub("[-_.]+", "-", pin[1]).lower()
            found[package] = (pin[2], set())
        elif hashed := re.match(r"    --hash=sha256:([0-9a-f]{64})", line):
            found[package][1].add(hashed[1])
    return found


def test_every_package_that_runs_is_in_it_with_licence_and_hashes(bill: dict[str, Any]) -> None:
    packages = {each["name"]: each for each in bill["components"] if "purl" in each}
    locked = pins("run.txt")
    assert packages.keys() == locked.keys()
    for name, (version, hashes) in locked.items():
        package = packages[name]
        told = [each["content"] for one in package["externalReferences"] for each in one.get("hashes", ())]
        assert (package["version"], set(told)) == (version, hashes), name
        assert hashes, name
        assert package["purl"] == f"pkg:pypi/{name}@{version}"
        assert package["licenses"], name


def test_no_tool_of_development_is_in_it(bill: dict[str, Any]) -> None:
    tools = pins("dev.txt").keys() - pins("run.txt").keys()
    assert {"pytest", "ruff"} <= tools
    assert not tools & {each["name"] for each in bill["components"]}


def test_what_was_copied_is_in_it_with_the_hash_of_its_files(bill: dict[str, Any]) -> None:
    copied = {each["name"]: each for each in bill["components"] if "purl" not in each}
    assert copied.keys() == {"govuk-frontend", "nicknames", "swagger-ui-dist"}
    for each in sbom.COPIED:
        assert copied[each.name]["hashes"] == [{"alg": "SHA-256", "content": each.hash}]
    style = (ROOT / "registry/http/web/static/govuk-frontend.css").read_text()
    assert f'--govuk-frontend-version:"{copied["govuk-frontend"]["version"]}"' in style
    told = (ROOT / "registry/http/discovery.py").read_text()
    assert f"flask-swagger-ui {copied['swagger-ui-dist']['version']}" in told


def test_it_says_who_needs_whom(bill: dict[str, Any]) -> None:
    needs = {each["ref"].split("@")[0]: each.get("dependsOn", []) for each in bill["dependencies"]}
    assert {each.split("@")[0] for each in needs["flask"]} >= {"click", "jinja2", "werkzeug"}
    reached, waiting = set(), ["needling-registry"]
    while waiting:
        for each in needs[waiting.pop()]:
            if each not in reached:
                reached.add(each)
                waiting.append(each.split("@")[0])
    assert len(reached) == len(bill["components"])


def test_a_package_of_which_no_licence_is_known_stops_it() -> None:
    assert sbom.licence_of("flask") == "BSD-3-Clause"
    with pytest.raises(sbom.Unlicensed):
        sbom.licence_of("jinja2", {})
    with pytest.raises(sbom.Unlicensed):
        sbom.licence_of("never-heard-of")


def test_a_bill_that_lacks_something_is_noticed() -> None:
    bom = sbom.made()
    assert list(sbom.lacking(bom)) == []
    flask = next(each for each in bom.components if each.name == "flask")
    flask.external_references.clear()
    urllib3 = next(each for each in bom.components if each.name == "urllib3")
    bom.components.discard(urllib3)
    assert [line.split()[0] for line in sbom.lacking(bom)] == ["flask", "urllib3"]
