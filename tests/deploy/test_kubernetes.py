"""The manifests: of the form that Kubernetes takes, of settings that there are, and without a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.conftest import DEPLOY, SECRETS, VARIABLES, assert_known_command, settings_of

FOLDER = DEPLOY / "kubernetes"
VERSIONS = ("1.31", "1.34", kubernetes_validate.latest_version())


def objects() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(FOLDER.glob("*.yaml")):
        for each in yaml.safe_load_all(file.read_text()):
            name = each.get("metadata", {}).get("name") or each.get("metadata", {}).get("generateName")
            yield f"{each['kind']} {name}", each


OBJECTS = {name: each for name, each in objects() if each["kind"] != "Kustomization"}
PODS = {
    name: each["spec"]["template"]["spec"]
    for name, each in OBJECTS.items()
    if each["kind"] in ("Deployment", "Job")
}
CONFIGURED: dict[str, str] = OBJECTS["ConfigMap registry-settings"]["data"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", OBJECTS)
def test_kubernetes_takes_it(name: str, version: str) -> None:
    kubernetes_validate.validate(OBJECTS[name], version, strict=True)


def test_all_but_the_migration_is_applied_together() -> None:
    (kustomization,) = (each for _, each in objects() if each["kind"] == "Kustomization")
    there = {file.name for file in FOLDER.glob("*.yaml")} - {"kustomization.yaml", "migrate.yaml"}
    assert set(kustomization["resources"]) == there
    (image,) = kustomization["images"]
    assert f"{image['newName']}:{image['newTag']}" == PODS["Job registry-migrate-"]["containers"][0]["image"]


def test_settings_are_ours_and_none_is_secret() -> None:
    assert CONFIGURED.keys() <= VARIABLES - SECRETS
    read = settings_of({**CONFIGURED, "REGISTRY_DATABASE_URL": "postgresql://registry:x@db/registry"})
    assert read.trusted_hops == 1
    assert not [name for name in OBJECTS if name.startswith("Secret")]


@pytest.mark.parametrize("name", PODS)
def test_a_pod_runs_a_command_of_ours_and_may_do_little(name: str) -> None:
    pod = PODS[name]
    (container,) = pod["containers"]
    if "command" in container:
        assert_known_command(container["command"])
    assert pod["enableServiceLinks"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"]
    assert {source.popitem()[1]["name"] for source in map(dict, container["envFrom"])} == {
        "registry-settings",
        "registry-database",
    }
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert mounts == {"/tmp": "tmp", "/dev/shm": "memory"}  # noqa: S108 - of pods
    assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}


def test_the_user_is_that_of_the_image() -> None:
    dockerfile = (DEPLOY.parent / "Dockerfile").read_text()
    (user,) = re.findall(r"^USER (\d+)$", dockerfile, re.MULTILINE)
    assert {pod["securityContext"]["runAsUser"] for pod in PODS.values()} == {int(user)}


def test_a_server_is_sent_requests_while_it_can_answer_and_given_time_to_end() -> None:
    pod = PODS["Deployment registry"]
    (container,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    read = settings_of(CONFIGURED)
    assert ports == {"http": read.port, "metrics": read.metrics_port}
    paths = {name: container[name]["httpGet"]["path"] for name in container if name.endswith("Probe")}
    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    waits = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > waits + read.graceful_seconds
    for name in PODS.keys() - {"Deployment registry", "Job registry-migrate-"}:
        assert PODS[name]["terminationGracePeriodSeconds"] > read.graceful_seconds


def test_metrics_are_no_port_of_the_service() -> None:
    (port,) = OBJECTS["Service registry"]["spec"]["ports"]
    assert port["targetPort"] == "http"
    allowed = OBJECTS["NetworkPolicy registry"]["spec"]["ingress"]
    name_of = "kubernetes.io/metadata.name"
    from_where = {
        rule["ports"][0]["port"]: rule["from"][0]["namespaceSelector"]["matchLabels"][name_of]
        for rule in allowed
    }
    assert from_where == {8000: "ingress-nginx", 9464: "monitoring"}
    notes = OBJECTS["Deployment registry"]["spec"]["template"]["metadata"]["annotations"]
    assert notes["prometheus.io/port"] == "9464"


def test_selectors_find_what_they_are_for() -> None:
    labels = OBJECTS["Deployment registry"]["spec"]["template"]["metadata"]["labels"]
    service = OBJECTS["Service registry"]["spec"]["selector"]
    budget = OBJECTS["PodDisruptionBudget registry"]["spec"]["selector"]["matchLabels"]
    assert service == budget == labels
    guarded = OBJECTS["NetworkPolicy registry"]["spec"]["podSelector"]["matchLabels"]
    for name in PODS:
        of_pod = OBJECTS[name]["spec"]["template"]["metadata"]["labels"]
        assert guarded.items() <= of_pod.items()
        if name != "Deployment registry":
            assert not service.items() <= of_pod.items(), "it would be sent requests"
