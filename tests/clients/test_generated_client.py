"""A client that openapi-python-client makes from openapi.yaml: made without a warning, and it works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from registry.services.principals import Role
from tests.clients.conftest import BODY, LAST, Served

ROOT = Path(__file__).parents[2]
PACKAGE = "generated_registry_client"
TODAY = date(2026, 3, 1)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The client, made as clients/openapi-python-client.yaml says, and to be imported."""
    folder = tmp_path_factory.mktemp("generated")
    options = ["--path", "openapi.yaml", "--config", "clients/openapi-python-client.yaml", "--meta", "none"]
    options += ["--output-path", str(folder / PACKAGE), "--fail-on-warning"]
    command = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "arning" not in done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    invalidate_caches()
    yield folder / PACKAGE
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def ask(generated: Path, served: Served) -> Iterator[Callable[..., Any]]:
    """Asks as a clinic, or in another role; the whole response, which has to have this status."""
    made = import_module(f"{PACKAGE}.client").AuthenticatedClient
    with ExitStack() as stack:
        clients = {
            role: stack.enter_context(made(base_url=served.url, token=served.key(role)))
            for role in (Role.CLINIC, Role.OPERATOR)
        }

        def ask(
            operation: str, *path: Any, status: int = 200, role: Role = Role.CLINIC, **arguments: Any
        ) -> Any:
            module = import_module(f"{PACKAGE}.api.{operation}")
            response = module.sync_detailed(*path, client=clients[role], **arguments)
            assert response.status_code == status, response.content
            return response

        yield ask


@pytest.fixture
def call(ask: Callable[..., Any]) -> Callable[..., Any]:
    """The same, of which only the answer is given, as the client read it."""
    return lambda *path, **arguments: ask(*path, **arguments).parsed


@pytest.fixture
def models(generated: Path) -> Any:
    return import_module(f"{PACKAGE}.models")


def test_every_module_of_it_can_be_imported(generated: Path) -> None:
    modules = [path.relative_to(generated.parent).with_suffix("") for path in generated.rglob("*.py")]
    assert len(modules) > 200
    for module in modules:
        import_module(".".join(part for part in module.parts if part != "__init__"))


def test_there_is_one_type_for_the_words_of_each_vocabulary(models: Any) -> None:
    assert [word.value for word in models.Mode] == ["independent", "supervised"]
    techniques = [name for name in vars(models) if "technique" in name.lower()]
    assert set(techniques) == {"Technique", "technique"}


def test_it_verifies(call: Any, models: Any) -> None:
    asked = {"on": TODAY, "technique": models.Technique.DRY_NEEDLING}
    answer = call("public_registrations.verify_registration", BODY, "PT-1", **asked)
    assert answer.authorized is True
    assert (answer.on, answer.mode) == (TODAY, models.Mode.INDEPENDENT)
    assert answer.verdicts[0].valid_through == LAST
    assert isinstance(answer.practitioner.id, UUID)
    unknown = call("public_registrations.verify_registration", BODY, "nobody", **asked)
    assert (unknown.authorized, unknown.practitioner) == (False, None)
    assert unknown.verdicts[0].outcome is models.Outcome.NOT_FOUND


def test_it_reads_problems(call: Any) -> None:
    nowhere = call("public_registrations.verify_registration", "nowhere", "PT-1", status=404)
    assert nowhere.title == "Nothing is kept here"
    wrong = call("changes.list_changes", after="?", status=422)
    assert wrong.errors[0].parameter == "after"


def test_it_asks_many_questions(call: Any, models: Any) -> None:
    asked = [
        models.Question(body=BODY, number="PT-1", technique=models.Technique.DRY_NEEDLING, on=TODAY),
        models.Question(body=BODY, number="PT-2", on=TODAY, ref="second"),
    ]
    batch = call("verifications.verify_batch", body=models.QuestionBatch(questions=asked))
    first, second = batch.answers
    assert (first.authorized, first.mode, first.error) == (True, models.Mode.INDEPENDENT, None)
    assert (second.authorized, second.ref, len(second.verdicts)) == (False, "second", 6)


def test_it_looks_people_up(call: Any) -> None:
    found = call("public_registrations.show_registration", BODY, "PT-1")
    page = call("public_practitioners.search_practitioners", name=found.practitioner.name)
    (person,) = [each for each in page.items if each.id == found.practitioner.id]
    shown = call("public_practitioners.show_practitioner", person.id)
    assert [entry.number for entry in shown.registrations] == ["PT-1"]
    assert BODY in [body.code for body in call("bodies.list_bodies").items]


def test_it_keeps_a_roster(call: Any, models: Any) -> None:
    def members(*numbers: str) -> Any:
        return models.RosterMembers(members=[models.Member(body=BODY, number=number) for number in numbers])

    made = call("rosters.put_roster", "staff", body=members("PT-1", "PT-2"), status=201)
    assert (made.size, made.members[0].number) == (2, "PT-1")
    call("rosters.put_roster", "staff", body=members("PT-1"), status=428)
    assert call("rosters.get_roster", "staff") == made
    standing = call("standing.show_standing", "staff", on=TODAY, technique=models.Technique.DRY_NEEDLING)
    assert [each.authorized for each in standing.answers] == [True, False]
    without = {"from_": TODAY, "to": TODAY, "technique": models.Technique.DRY_NEEDLING}
    found = call("standing.show_standing", "staff", **without)
    assert [(each.number, each.days) for each in found.days_without] == [("PT-1", 0), ("PT-2", 1)]


def test_it_replaces_a_roster_that_it_has_read(ask: Any, call: Any, models: Any) -> None:
    one = models.RosterMembers(members=[models.Member(body=BODY, number="PT-1")])
    call("rosters.put_roster", "staff-2", body=one, status=201)
    tag = ask("rosters.get_roster", "staff-2").headers["ETag"]
    none = models.RosterMembers(members=[])
    assert call("rosters.put_roster", "staff-2", body=none, if_match=tag).size == 0


def test_it_reads_the_feed(call: Any, served: Served, models: Any) -> None:
    place = call("changes.list_changes", after="now").next_
    served.suspend(served.authorize("PT-70"))
    page = call("changes.list_changes", after=place, wait=5)
    assert [event.number for event in page.items][-1] == "PT-70"
    assert (page.items[-1].was, page.items[-1].is_) == (models.Standing.IN_FORCE, models.Standing.SUSPENDED)
    assert page.more is False


def test_it_keeps_a_webhook(ask: Any, call: Any, models: Any) -> None:
    wanted = models.NewWebhook(
        url="http://127.0.0.1:9/hook", types=[models.EventType.AUTHORIZATION_SUSPENDED], description="Tests"
    )
    made = call("webhooks.create_webhook", body=wanted, idempotency_key="once", status=201)
    again = call("webhooks.create_webhook", body=wanted, idempotency_key="once", status=201)
    assert made.secret.startswith("whsec_")
    assert (again.id, again.secret) == (made.id, None)
    assert call("webhooks.ping_webhook", made.id, status=202).type_ == "webhook.ping"
    read = ask("webhooks.get_webhook", made.id)
    assert (read.parsed.state, read.parsed.roster) == (models.WebhookState.ACTIVE, None)
    stopped = models.WebhookChange(state=models.WebhookState.DISABLED)
    changed = call("webhooks.change_webhook", made.id, body=stopped, if_match=read.headers["ETag"])
    assert changed.disabled_because is models.DisabledBecause.BY_OWNER


def test_it_sends_a_body_to_an_address_with_a_body_in_it(call: Any, models: Any) -> None:
    name = models.NewName(full_name="Ana Ito", kind=models.NameKind.PUBLISHED)
    wish = {"status": 201, "role": Role.OPERATOR}
    person = call(
        "practitioner_records.create_practitioner", body=models.NewPractitioner(names=[name]), **wish
    )
    granted = models.NewRegistration(
        practitioner=person.id, number="PT-71", register_class="general", effective_on=TODAY, through=LAST
    )
    once = {"body": granted, "idempotency_key": "once", **wish}
    made, again = (call("registration_records.create_registration", BODY, **once) for _ in range(2))
    assert (made.number, made.id) == ("PT-71", again.id)
