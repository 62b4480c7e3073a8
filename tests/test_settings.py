"""Settings: all mistakes at once, each by its variable, and no secret shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import make_url

from registry.cli import main
from registry.cli import settings as settings_command
from registry.delivery.sending import CONNECT_SECONDS, TOTAL_SECONDS
from registry.settings import (
    MistakenSettings,
    Settings,
    declared_settings,
    read_settings,
    unknown_variables,
)

EVERY = {name: (declared, default) for name, declared, default in declared_settings()}


def mistakes(environment: Mapping[str, str]) -> list[str]:
    with pytest.raises(MistakenSettings) as caught:
        read_settings(environment)
    return caught.value.mistakes


def test_nothing_given_is_the_defaults() -> None:
    read = read_settings({})
    assert read.database_url == f"sqlite:///{Path.cwd()}/var/register.db"
    assert read == Settings(database_url=read.database_url)


def test_what_is_given_is_read() -> None:
    read = read_settings(
        {
            "REGISTRY_DATABASE_URL": "postgresql://me:secret@db/register",
            "REGISTRY_REPLICA_URLS": "postgresql://me@one/register, postgresql://me@two/register",
            "REGISTRY_PUBLIC_URL": "https://registry.example/",
            "REGISTRY_CONTACT": "https://registry.example/report",
            "PORT": "0",
            "WEB_CONCURRENCY": "3",
        }
    )
    assert read.database_url == "postgresql://me:secret@db/register"
    assert read.replica_urls == ("postgresql://me@one/register", "postgresql://me@two/register")
    assert (read.public_url, read.port, read.workers) == ("https://registry.example", 0, 3)


@pytest.mark.parametrize(
    ("given", "host", "port"),
    [
        ("postgresql://me:pass,word@one:5432,two:5433/register", "one,two", "5432,5433"),
        ("postgresql://me:pass,word@one,two.example/register?sslmode=require", "one,two.example", ","),
        ("postgresql://me:pass,word@[::1]:5432,two/register", "::1,two", "5432,"),
        ("postgresql+psycopg://me:pass,word@/register?host=one:5432&host=two:5433", "one,two", "5432,5433"),
    ],
)
def test_an_address_may_name_several_servers(given: str, host: str, port: str) -> None:
    """As PostgreSQL's own tools have it, or as SQLAlchemy has."""
    url = make_url(read_settings({"REGISTRY_DATABASE_URL": given}).database_url)
    _, arguments = PGDialect_psycopg().create_connect_args(url)
    assert (arguments["host"], arguments["port"]) == (host, port)
    assert (arguments["user"], arguments["password"], arguments["dbname"]) == ("me", "pass,word", "register")
    assert "pass" not in EVERY["database_url"][0].shown(url.render_as_string(hide_password=False))


def test_how_webhooks_are_sent_is_read(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    read = read_settings(
        {
            "REGISTRY_WEBHOOKS_ALLOW_LOOPBACK": "yes",
            "REGISTRY_WEBHOOKS_CA_BUNDLE": str(bundle),
            "REGISTRY_WEBHOOKS_CONNECT_SECONDS": "2",
            "REGISTRY_WEBHOOKS_TOTAL_SECONDS": "9",
        }
    )
    assert (read.webhooks_allow_loopback, read.webhooks_ca_bundle) == (True, str(bundle))
    assert (read.webhooks_connect_seconds, read.webhooks_total_seconds) == (2, 9)


def test_unless_a_deployment_says_so_webhooks_are_sent_to_the_public_only() -> None:
    read = read_settings({})
    assert read.webhooks_allow_loopback is False
    assert (read.webhooks_connect_seconds, read.webhooks_total_seconds) == (CONNECT_SECONDS, TOTAL_SECONDS)


def test_an_empty_variable_counts_as_not_given() -> None:
    names = {declared.variable: "" for declared, _ in EVERY.values()}
    assert read_settings(names) == read_settings({})


def test_the_public_address_follows_the_port_unless_it_is_given() -> None:
    assert read_settings({"PORT": "8080"}).public_url == "http://localhost:8080"
    assert read_settings({"PORT": "8080", "REGISTRY_PUBLIC_URL": "https://a.example"}).port == 8080


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REGISTRY_DATABASE_URL", "mysql://me@host/register"),
        ("REGISTRY_DATABASE_URL", "postgres://me@host/register"),
        ("REGISTRY_DATABASE_URL", "postgresql://me@host"),
        ("REGISTRY_DATABASE_URL", "postgresql://me@host:port/register"),
        ("REGISTRY_DATABASE_URL", "my.db"),
        ("REGISTRY_DATABASE_URL", "postgresql://me@one:5432,two:port/register"),
        ("REGISTRY_REPLICA_URLS", "sqlite:////data/register.db"),
        ("REGISTRY_REPLICA_URLS", "postgresql:///register?host=/one&host=/two"),  # which would it be?
        ("REGISTRY_REPLICA_LAG_SECONDS", "4"),
        ("REGISTRY_REPLICA_LAG_SECONDS", "51"),  # an answer is kept for a minute, all in all
        ("REGISTRY_LISTEN_URL", "sqlite:////data/register.db"),
        ("REGISTRY_PUBLIC_URL", "registry.example"),
        ("REGISTRY_PUBLIC_URL", "ftp://registry.example"),
        ("REGISTRY_PUBLIC_URL", "https://"),
        ("REGISTRY_PUBLIC_URL", "https://registry.example/path"),
        ("REGISTRY_PUBLIC_URL", "https://registry.example?q=1"),
        ("REGISTRY_PUBLIC_URL", "https://registry.example:65536"),
        ("REGISTRY_CONTACT", "security@registry.example"),
        ("REGISTRY_CONTACT", "http://registry.example"),
        ("REGISTRY_MAX_BODY_BYTES", "999"),
        ("REGISTRY_POOL_SIZE", "5.7"),
        ("REGISTRY_POOL_SIZE", "many"),
        ("REGISTRY_THREADS", "0"),
        ("REGISTRY_WEBHOOKS_ALLOW_LOOPBACK", "maybe"),
        ("REGISTRY_WEBHOOKS_CA_BUNDLE", "/missing/ca.pem"),
        ("REGISTRY_WEBHOOKS_CA_BUNDLE", "/"),
        ("REGISTRY_WEBHOOKS_CONNECT_SECONDS", "0"),
        ("REGISTRY_WEBHOOKS_TOTAL_SECONDS", str(int(TOTAL_SECONDS) + 1)),  # who holds a message counts on it
        ("PORT", "65536"),
        ("PORT", "-1"),
    ],
)
def test_a_mistake_is_told_by_its_variable_with_what_was_given_and_what_is_wanted(
    variable: str, value: str
) -> None:
    (told,) = mistakes({variable: value})
    assert told.startswith(f"{variable}: given is ")
    declared = next(declared for declared, _ in EVERY.values() if declared.variable == variable)
    assert told.endswith(f"wanted is {declared.kind.wanted}.")
    assert (value in told) is (not declared.secret or "://" in value)


def test_all_mistakes_are_told_at_once() -> None:
    told = mistakes(
        {"PORT": "x", "REGISTRY_THREADS": "none", "REGISTRY_CONTACT": "me", "WEB_CONCURRENCY": "2"}
    )
    assert [each.partition(":")[0] for each in told] == ["REGISTRY_CONTACT", "PORT", "REGISTRY_THREADS"]


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({"REGISTRY_THREADS": "9"}, "REGISTRY_POOL_SIZE"),
        ({"REGISTRY_THREADS": "2"}, "REGISTRY_FEED_WAITERS"),
        ({"REGISTRY_REPLICA_URLS": "postgresql://me@one/register"}, "REGISTRY_REPLICA_URLS"),
    ],
)
def test_settings_that_cannot_be_right_together_are_told(environment: dict[str, str], variable: str) -> None:
    (told,) = mistakes(environment)
    assert told.startswith(f"{variable}: ")


@pytest.mark.parametrize(
    "value",
    [
        "postgres://me:Hunter2@host/register",
        "postgres://me:Hun@Hunter2@host/register",
        "postgres://me:p/Hunter2@host/register",
        "postgres://host/register?password=Hunter2",
        "postgres://host/register?sslmode=x&sslpassword=Hunter2&user=me",
        "Hunter2",
    ],
)
def test_no_password_is_told(value: str) -> None:
    (told,) = mistakes({"REGISTRY_DATABASE_URL": value})
    assert "Hunter2" not in told
    (told,) = mistakes({"REGISTRY_REPLICA_URLS": f"{value},{value}"})
    assert "Hunter2" not in told


def test_a_password_in_an_address_that_should_have_none_is_not_told_either() -> None:
    (told,) = mistakes({"REGISTRY_PUBLIC_URL": "https://me:Hunter2@registry.example"})
    assert "Hunter2" not in told


def test_no_setting_has_a_secret_for_its_default() -> None:
    secrets = {name: default for name, (declared, default) in EVERY.items() if declared.secret}
    assert secrets.keys() >= {"database_url", "replica_urls"}
    for name, default in secrets.items():
        assert not default or str(default) == "machine" or str(default).startswith("sqlite:"), name


def test_a_variable_that_is_no_setting_is_warned_about_with_the_nearest() -> None:
    given = {
        **{declared.variable: "" for declared, _ in EVERY.values()},
        "REGISTRY_DATABASE_ULR": "postgresql://me:Hunter2@host/register",
        "REGISTRY_XYLOPHONE": "1",
        "HOME": "/",
    }
    misspelt, strange = unknown_variables(given)
    assert "REGISTRY_DATABASE_ULR" in misspelt
    assert "REGISTRY_DATABASE_URL?" in misspelt
    assert "Hunter2" not in misspelt
    assert strange == "REGISTRY_XYLOPHONE is no setting of this version."


def test_what_kubernetes_and_the_tests_set_is_not_warned_about() -> None:
    service = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_8000_TCP_ADDR")
    given = {f"REGISTRY_{name}": "tcp://10.0.0.1:8000" for name in (*service, "TEST_REQUIRE_POSTGRES")}
    assert unknown_variables(given) == []


def test_the_command_shows_what_is_in_effect_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgresql://me:Hunter2@host/register")
    monkeypatch.setenv("REGISTRY_POOLSIZE", "9")
    result = CliRunner().invoke(main, ["settings"])
    assert result.exit_code == 0
    assert "REGISTRY_DATABASE_URL=postgresql://me:***@host/register  # not the default" in result.stdout
    assert all(f"{declared.variable}=" in result.stdout for declared, _ in EVERY.values())
    assert "did you mean REGISTRY_POOL_SIZE?" in result.stderr
    assert "Hunter2" not in result.output


def test_the_command_fails_where_a_setting_is_mistaken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("REGISTRY_THREADS", "y")
    result = CliRunner().invoke(main, ["settings"])
    assert result.exit_code == 1
    assert "PORT: given is 'x'" in result.output
    assert "REGISTRY_THREADS: given is 'y'" in result.output


def test_the_kept_description_is_what_the_code_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CliRunner().invoke(main, ["settings", "--check"]).exit_code == 0
    monkeypatch.setattr(settings_command, "FILE", tmp_path / "settings.md")
    assert CliRunner().invoke(main, ["settings", "--check"]).exit_code == 1
    assert CliRunner().invoke(main, ["settings", "--write"]).exit_code == 0
    assert CliRunner().invoke(main, ["settings", "--check"]).exit_code == 0
