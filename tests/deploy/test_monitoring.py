"""Alerts and the dashboard name metrics that there are, by labels that they have."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import promql_parser
import pytest
import yaml

from registry.http.metrics import REPLICA_AGE
from registry.store.runs import SWEEP, note_run
from tests.deploy.conftest import DEPLOY
from tests.serving.conftest import VERIFICATION, fill
from tests.support.databases import SqliteDatabases
from tests.support.factories import database
from tests.support.serving import Server, serving
from tests.support.tools import tool

MONITORING = DEPLOY / "monitoring"
RUNBOOK = DEPLOY.parent / "docs" / "operation.md"
OF_PROMETHEUS = {"up": {"job", "instance"}}
GIVEN_BY_PROMETHEUS = {"instance", "job"}


def rules() -> list[dict[str, Any]]:
    alerts = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    return [rule for group in alerts["groups"] for rule in group["rules"]]


def dashboard() -> list[tuple[str, str]]:
    """The expressions of the dashboard, by the titles of their panels."""
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", ())]


EXPRESSIONS = [*((rule["alert"], rule["expr"]) for rule in rules()), *dashboard()]


@pytest.fixture(scope="module")
def exposed(
    sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[str]]:
    """What a real server tells: the labels of each sample, by its name."""
    folder = tmp_path_factory.mktemp("server")
    with sqlite_databases.migrated() as url:
        register = fill(url)
        with database(url) as engine, engine.begin() as tx:
            note_run(tx, SWEEP, datetime.now(UTC))
        with serving(folder, url) as server:
            found = told(server, register.operator)
    # Told where there are replicas, which an SQLite register has not.
    return {"registry_replica_age_seconds": set(REPLICA_AGE._labelnames), **found}


def told(server: Server, key: str) -> dict[str, set[str]]:
    """After a request of each kind that is counted once it happens."""
    assert server.ask(VERIFICATION).status == 200
    body = json.dumps({"questions": [{"body": "ca-ab", "number": "PT-1"}]}).encode()
    assert server.ask("/v1/verifications", "POST", body, **{"Content-Type": "application/json"}).status == 200
    sent = server.ask("/v1/admin/imports", "POST", b"", Authorization=f"Bearer {key}")
    assert 400 <= sent.status < 500
    found: dict[str, set[str]] = {}
    for name, labels in server.metrics():
        found.setdefault(name, set()).update(label for label, _ in labels)
    return found


def selectors(expression: str) -> Iterator[Any]:
    """Every selector of an expression."""
    yield from _selectors(promql_parser.parse(re.sub(r"\$__rate_interval", "5m", expression)))


def _selectors(node: Any) -> Iterator[Any]:
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    elif isinstance(node, promql_parser.MatrixSelector):
        yield node.vector_selector
    else:
        for name in ("expr", "lhs", "rhs", "param", "args"):
            below = getattr(node, name, None)
            for each in below if isinstance(below, list) else [below]:
                if each is not None and not isinstance(each, str | int | float):
                    yield from _selectors(each)


def test_expressions_are_found_in_all_their_parts() -> None:
    found = selectors(
        'max(rate(a{x="1"}[5m])) / topk(3, b) > avg_over_time(c[1m]) or histogram_quantile(0.9, d)'
    )
    assert sorted(each.name for each in found) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS, ids=[title for title, _ in EXPRESSIONS])
def test_every_metric_is_told_with_its_labels(
    exposed: dict[str, set[str]], title: str, expression: str
) -> None:
    named = list(selectors(expression))
    assert named, title
    for each in named:
        assert each.name in exposed or each.name in OF_PROMETHEUS, f"{title}: there is no {each.name}"
        labels = exposed.get(each.name) or OF_PROMETHEUS.get(each.name, set())
        used = {matcher.name for matcher in each.matchers.matchers}
        assert used <= labels | GIVEN_BY_PROMETHEUS, f"{title}: {each.name} has not {used - labels}"


def test_every_metric_of_ours_is_looked_at(exposed: dict[str, set[str]]) -> None:
    """One that nobody looks at is left out, or belongs on the dashboard."""
    looked_at = {each.name for _, expression in EXPRESSIONS for each in selectors(expression)}
    families = {re.sub("_(bucket|count|sum|created)$", "", name) for name in exposed}
    assert families - {re.sub("_(bucket|count|sum)$", "", name) for name in looked_at} == set()


def test_every_alert_is_in_the_runbook_and_nothing_else_is() -> None:
    headings = re.findall("^### (Registry[A-Za-z]+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert headings == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"]


def test_prometheus_takes_the_rules_and_they_fire_when_they_should() -> None:
    promtool = tool("promtool", "prometheus")
    for command in (["check", "config", "prometheus.yml"], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run(
            [promtool, *command], cwd=MONITORING, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_has_no_panel_twice_and_none_over_another() -> None:
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
