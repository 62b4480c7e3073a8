"""The only reader of the environment. A setting is declared once: its default, what is wanted, its meaning.

To add one: a field of :class:`Settings` made by :func:`setting`, and ``registry settings --write`` for
``docs/settings.md``. Its variable is ``REGISTRY_`` and the name of the field.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from marshmallow import ValidationError
from marshmallow.fields import Field, Integer, String
from marshmallow.validate import OneOf, Range

PREFIX = "REGISTRY_"
DECLARED = "declared"
HIDDEN = "***"
OFF = "off"
MACHINE, PROCESS = "machine", "process"
ROLES_OF_A_BODY = ("registrar", "auditor")
TOKEN_ROLES = (*ROLES_OF_A_BODY, "clinic", "operator")
TOKEN_SCOPES = ("follow", "read", "record", "decide", "import", "export", "administer")
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "Ed25519"),
)
"""Of signatures by a private key alone: what a secret verifies, whoever verifies it can forge."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")

NOT_OURS = re.compile("REGISTRY_(TEST_.*|SERVICE_(HOST|PORT(_.*)?)|PORT(_.*)?)")
"""Variables of the test suite, and those that Kubernetes makes of a Service called "registry"."""

SEVERAL_HOSTS = re.compile(
    r"(?P<scheme>postgresql[^:/]*://)(?P<account>[^/?]*@)?(?P<hosts>[^/?@]+(,[^/?@,]+)+)(?P<path>/[^?]*)"
    r"(\?(?P<query>.*))?"
)
"""An address such as postgresql://user:password@one:5432,two:5433/name."""
HOST_AND_PORT = re.compile(r"\[?(?P<host>[^\[\]:]+|(?<=\[)[0-9a-fA-F:.]+(?=\]))\]?(:(?P<port>[0-9]{1,5}))?")

PASSWORD_IN_ADDRESS = re.compile("(://[^:/?#@]*):.*@")
PASSWORD_IN_QUERY = re.compile("([?&][a-z]*password=)[^&]*", re.IGNORECASE)

T = TypeVar("T")


class MistakenSettings(Exception):
    """Settings that cannot be right; its text has a line for each of them, and shows no secret."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(["These settings cannot be right:", *(f"  {each}" for each in mistakes)]))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Kind:
    """How a value is read.

    :param wanted: what is wanted, in words that go on "wanted is ...".
    :param field: what reads it, and refuses what cannot be right.
    """

    wanted: str
    field: Field[Any]


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared of a setting, beside its default and its name."""

    kind: Kind
    meaning: str
    variable: str
    secret: bool = False

    def shown(self, value: object) -> str:
        """A value, of what came or of what is in effect, as it may be shown."""
        given = value if isinstance(value, tuple) else (value,)
        return ",".join(_masked(str(each), secret=self.secret) for each in given)


def _masked(value: str, *, secret: bool) -> str:
    """All of an address but its password; of a secret that is no address, nothing."""
    if secret and value and "://" not in value:
        return HIDDEN
    return PASSWORD_IN_QUERY.sub(rf"\1{HIDDEN}", PASSWORD_IN_ADDRESS.sub(rf"\1:{HIDDEN}@", value))


def setting(default: T, kind: Kind, meaning: str, *, variable: str = "", secret: bool = False) -> T:
    """A field of :class:`Settings`.

    :param variable: its variable in the environment, where that is not ``REGISTRY_`` and the field's name.
    :param secret: its value, or a part of it, is never shown.
    """
    declared = Declared(kind, meaning, variable, secret)
    made: T = field(default=default, metadata={DECLARED: declared})
    return made


def whole(least: int, most: int) -> Kind:
    """A whole number between two, inclusive."""
    return Kind(f"a whole number from {least} to {most}", Integer(validate=Range(least, most)))


def one_of(*words: str) -> Kind:
    """One of several words."""
    return Kind(f"one of {', '.join(words)}", String(validate=OneOf(words)))


class Flag(Field[bool]):
    """Yes or no."""

    def _deserialize(self, value: str, *_: object, **__: object) -> bool:
        try:
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
                value.lower()
            ]
        except KeyError:
            raise ValidationError("") from None


class Several(Field[tuple[str, ...]]):
    """Values with commas between them."""

    def __init__(self, each: Field[str]) -> None:
        super().__init__()
        self._each = each

    def _deserialize(self, value: str, *_: object, **__: object) -> tuple[str, ...]:
        parts = (part.strip() for part in value.split(","))
        return tuple(self._each.deserialize(part) for part in parts if part)


def _parts(value: str) -> SplitResult:
    """The parts of an address whose port, if it has one, can be right."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise ValidationError("") from error
    return parts


def _require(fits: object) -> None:
    if not fits:
        raise ValidationError("")


def _check_database(value: str) -> None:
    parts = _parts(_hosts_apart(value))
    engine = parts.scheme.partition("+")[0]
    _require("://" in value and engine in ("sqlite", "postgresql"))
    _require(engine == "sqlite" or parts.path.strip("/"))


def _check_postgresql(value: str) -> None:
    _check_database(value)
    _require(value.startswith("postgresql"))


def _check_replica(value: str) -> None:
    """One server, so that what is found out about it is true of what is read from it."""
    _check_postgresql(value)
    _require(_hosts_apart(value) == value and value.count("host=") <= 1)


def _hosts_apart(url: str) -> str:
    """An address that names several hosts as PostgreSQL's own tools do, in the form that SQLAlchemy reads."""
    found = SEVERAL_HOSTS.fullmatch(url)
    if found is None:
        return url
    each = [HOST_AND_PORT.fullmatch(host) for host in found["hosts"].split(",")]
    _require(all(each))
    hosts, ports = (",".join(host[part] or "" for host in each if host) for part in ("host", "port"))
    query = "&".join(filter(None, [f"host={hosts}", ports.strip(",") and f"port={ports}", found["query"]]))
    return f"{found['scheme']}{found['account'] or ''}{found['path']}?{query}"


def _check_origin(value: str) -> None:
    parts = _parts(value)
    _require(parts.scheme in ("http", "https") and parts.hostname)
    _require("@" not in parts.netloc and not (parts.path.strip("/") or parts.query or parts.fragment))


def _check_file(value: str) -> None:
    _require(Path(value).is_file())


def _check_contact(value: str) -> None:
    _require(re.fullmatch(r"mailto:[^@\s]+@[^@\s]+|https://[^/\s]+\S*", value))


def _check_mail_address(value: str) -> None:
    local, at, domain = value.rpartition("@")
    _require(
        at and 0 < len(local) <= 64 and len(value) <= 254 and re.fullmatch(r"[A-Za-z0-9._+=~/-]+", local)
    )
    _require(re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", domain))


def _check_listener(value: str) -> None:
    parts = _parts(f"tcp://{value}")
    _require(parts.hostname and parts.port and parts.netloc == value and "@" not in value)


def _check_rate(value: str) -> None:
    _require(value == OFF or re.fullmatch("[1-9][0-9]{0,11}/[1-9][0-9]{0,6}", value))


def _check_counts(value: str) -> None:
    _require(re.fullmatch(rf"{MACHINE}|{PROCESS}|file:/.+|(redis|rediss|unix)://.+", value))


def _check_issuer(value: str) -> None:
    """OpenID Connect Discovery 1.0, section 2: no query, no fragment. A slash at its end is a part of it."""
    parts = _parts(value)
    _require(parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc)
    _require(not (parts.query or parts.fragment) and value.isascii() and " " not in value)


def _check_roles(value: str) -> None:
    try:
        told = json.loads(value)
    except ValueError as error:
        raise ValidationError("") from error
    _require(isinstance(told, dict))
    for grant in told.values():
        _require(isinstance(grant, dict) and grant.keys() <= {"role", "body", "scopes"})
        _require(grant.get("role") in TOKEN_ROLES)
        _require(isinstance(grant.get("body", ""), str))
        _require(grant["role"] in ROLES_OF_A_BODY or "body" not in grant)
        scopes = grant.get("scopes", list(TOKEN_SCOPES))
        _require(isinstance(scopes, list) and scopes and all(scope in TOKEN_SCOPES for scope in scopes))


DATABASE = Kind(
    "an address such as sqlite:////data/register.db or postgresql://user:password@host/name",
    String(validate=_check_database),
)
REPLICAS = Kind(
    "addresses such as postgresql://user:password@host/name, with commas between them",
    Several(String(validate=_check_replica)),
)
LISTENABLE = Kind(
    "an address such as postgresql://user:password@host/name", String(validate=_check_postgresql)
)
ORIGIN = Kind("a scheme and a host, such as https://registry.example", String(validate=_check_origin))
CONTACT = Kind("mailto: and a mail address, or an https: address", String(validate=_check_contact))
MAIL_ADDRESS = Kind("a mail address such as register@example.org", String(validate=_check_mail_address))
LISTENER = Kind("an address and a port, such as 127.0.0.1:9464", String(validate=_check_listener))
ISSUER = Kind("an address such as https://id.example/realms/register", String(validate=_check_issuer))
ROLES = Kind(
    'JSON such as {"ab-desk": {"role": "registrar", "body": "ca-ab", "scopes": ["read", "decide"]}}',
    String(validate=_check_roles),
)
FILE = Kind("a file that there is", String(validate=_check_file))
FLAG = Kind("yes or no", Flag())
TEXT = Kind("text", String())
RATE = Kind(f"units/seconds, such as 300/600, or {OFF}", String(validate=_check_rate))
COUNTS = Kind(
    f"{MACHINE}, {PROCESS}, file: and a path, or an address such as redis://host/0",
    String(validate=_check_counts),
)


@dataclass(frozen=True)
class Settings:
    """What a deployment may choose."""

    database_url: str = setting(
        "sqlite:///var/register.db",
        DATABASE,
        "Where the register is kept: SQLite or PostgreSQL. A relative path begins where the process starts.",
        secret=True,
    )
    replica_urls: tuple[str, ...] = setting(
        (), REPLICAS, "PostgreSQL replicas that answer public reads, each by its own address.", secret=True
    )
    replica_lag_seconds: int = setting(
        10, whole(5, 50), "How many seconds may be missing from what a replica answers."
    )
    replica_stale_seconds: int = setting(
        86_400,
        whole(0, 2_592_000),
        "How old an answer from a replica may be while the database itself cannot be reached.",
    )
    transaction_pooler: bool = setting(
        False,
        FLAG,
        "Whether the database is reached through PgBouncer (or the like) in transaction mode: nothing is then"
        " asked of a connection that would outlast a transaction.",
    )
    listen_url: str = setting(
        "",
        LISTENABLE,
        "The database itself, where a pooler is in between: to be told of new events (LISTEN). Without it a"
        " process behind such a pooler asks once a second.",
        secret=True,
    )
    public_url: str = setting(
        "http://localhost:8000",
        ORIGIN,
        "Scheme and host under which the public reaches the service.",
    )
    contact: str = setting(
        "mailto:security@registry.example", CONTACT, "Where to report a vulnerability (security.txt)."
    )
    max_body_bytes: int = setting(
        1_000_000, whole(1_000, 100_000_000), "The largest request body, import files excepted."
    )
    max_import_bytes: int = setting(200_000_000, whole(1_000, 4_000_000_000), "The largest import file.")
    pool_size: int = setting(
        8,
        whole(1, 500),
        "Database connections that one process keeps; at least the server's threads.",
    )
    busy_seconds: int = setting(20, whole(1, 600), "How long a write waits for another to finish.")
    feed_waiters: int = setting(
        2,
        whole(0, 10_000),
        "Requests that may wait for events in one process; fewer than the server's threads. One key gets half"
        " of them at most.",
    )
    webhooks_allow_loopback: bool = setting(
        False,
        FLAG,
        "Whether webhooks may be sent to this machine itself, also by http; for development only.",
    )
    webhooks_ca_bundle: str = setting(
        "",
        FILE,
        "Certificate authorities (PEM) that webhooks trust instead of the system's; those if it is empty.",
    )
    webhooks_connect_seconds: int = setting(
        5,
        whole(1, 15),
        "How long a receiver of webhooks may take to be connected to, and for its TLS handshake.",
    )
    webhooks_total_seconds: int = setting(
        15, whole(1, 15), "How long a receiver of webhooks may take for everything, until it has answered."
    )
    host: str = setting(
        "127.0.0.1", TEXT, "The address that the server listens on; 0.0.0.0 for every one of the machine."
    )
    port: int = setting(8000, whole(0, 65535), "The TCP port of the server.", variable="PORT")
    workers: int = setting(2, whole(1, 1000), "Processes that answer requests.", variable="WEB_CONCURRENCY")
    threads: int = setting(4, whole(1, 1000), "Requests that one process answers at a time.")
    graceful_seconds: int = setting(
        25, whole(1, 3600), "How long requests under way may take when the server stops or reloads."
    )
    access_log: str = setting(
        "failures",
        one_of("none", "failures", "all"),
        "Which requests are logged, by route and never by address: none, those that failed (5xx), or all.",
    )
    metrics_bind: str = setting(
        "",
        LISTENER,
        "Where `/metrics` is served, with `/healthz`, `/readyz` and nothing else; nowhere if it is empty.",
    )
    metrics_folder: str = setting(
        "",
        TEXT,
        "The folder in which the processes of a server count; one of its own in memory if it is empty.",
        variable="PROMETHEUS_MULTIPROC_DIR",
    )
    sweep_late_seconds: int = setting(
        3600, whole(60, 30 * 86400), "After how long without a sweep `/readyz` says that it is late."
    )
    feed_late_seconds: int = setting(
        60, whole(1, 86400), "How far what the public reads may be behind before `/readyz` says that it is."
    )

    trusted_hops: int = setting(
        0,
        whole(0, 10),
        "Proxies of yours in front, each of which appends to X-Forwarded-For; nobody else is believed. Where"
        " it is too small, all clients behind a proxy count as one.",
    )
    limit_look_ups: str = setting(
        "300/600",
        RATE,
        "Look-ups of one person, and questions of batches, from an address without a key.",
    )
    limit_search: str = setting(
        "200/600", RATE, "Searches, and people that they show, from an address without a key."
    )
    limit_day: str = setting("3000/86400", RATE, "Both of these together, from an address without a key.")
    limit_key: str = setting("600/60", RATE, "Requests with one key, or of one holder of tokens.")
    limit_key_search: str = setting("3000/600", RATE, "Searches, and people that they show, with one key.")
    limit_attempts: str = setting(
        "10/300",
        RATE,
        "Keys and tokens from one address that open nothing; beyond it none is looked at.",
    )
    counts: str = setting(
        MACHINE,
        COUNTS,
        "Where all of this is counted: by all processes of this machine together that serve this database, by"
        " each process alone, by all that name this file, or by all machines that share this Redis (with the"
        " extra redis).",
        secret=True,
    )
    oidc_issuer: str = setting(
        "", ISSUER, "Whose tokens (OpenID Connect) are taken beside keys; nobody's if it is empty."
    )
    oidc_audience: str = setting("", TEXT, "How tokens name this API (`aud`); needed with an issuer.")
    oidc_role_claim: str = setting(
        "roles",
        TEXT,
        "The claim that says what its holder is: a name, or a JSON Pointer such as /realm_access/roles.",
    )
    oidc_roles: str = setting(
        "{}",
        ROLES,
        "What values of that claim stand for; of several that a token has, the first here counts.",
    )
    oidc_body_claim: str = setting(
        "", TEXT, "The claim with the code of the body, for registrars and auditors whose role names none."
    )
    oidc_algorithms: tuple[str, ...] = setting(
        ("RS256", "PS256", "ES256", "Ed25519"),
        Kind(f"some of {', '.join(ALGORITHMS)}", Several(String(validate=OneOf(ALGORITHMS)))),
        "How tokens may be signed.",
    )
    oidc_token_types: tuple[str, ...] = setting(
        ("at+jwt", "jwt"),
        Kind("types with commas between them", Several(String())),
        "What tokens may call themselves (`typ`), in any case of letters.",
    )
    oidc_skew_seconds: int = setting(
        60, whole(0, 300), "How far the provider's clock may be from ours when a token begins and ends."
    )
    oidc_client_id: str = setting(
        "",
        TEXT,
        "How the provider knows the console, for people to sign in; they do not by it if it is empty.",
    )
    oidc_client_secret: str = setting(
        "",
        TEXT,
        "What the console shows the provider that it is itself; none for a public client.",
        secret=True,
    )
    oidc_scopes: tuple[str, ...] = setting(
        ("openid", "profile"),
        Kind("scopes with commas between them, openid among them", Several(String())),
        "What the provider is asked to tell of who signs in.",
    )
    oidc_ca_bundle: str = setting(
        "",
        FILE,
        "Certificate authorities (PEM) that the provider is trusted by instead of the system's; those if it"
        " is empty.",
    )
    oidc_allow_loopback: bool = setting(
        False, FLAG, "Whether the provider may be this machine itself, by http; for development."
    )

    console_idle_minutes: int = setting(
        30, whole(1, 1440), "After how long without a request somebody is signed out of the console."
    )
    console_hours: int = setting(
        12, whole(1, 168), "How long somebody stays signed in to the console at most, however busy."
    )
    mail_host: str = setting(
        "", TEXT, "The SMTP server through which notices are sent; none are sent if it is empty."
    )
    mail_port: int = setting(587, whole(1, 65535), "Its port: 587 as a rule, 465 with implicit TLS.")
    mail_tls: str = setting(
        "starttls",
        one_of("starttls", "implicit", "none"),
        "How it is spoken to in private: STARTTLS is required, or TLS from the first byte; none on this"
        " machine alone.",
    )
    mail_ca_bundle: str = setting(
        "",
        FILE,
        "Certificate authorities (PEM) that it is trusted by instead of the system's; those if it is empty.",
    )
    mail_user: str = setting("", TEXT, "The name to sign in with there; none if it is empty.")
    mail_password_file: str = setting("", FILE, "The file whose first line is the password to that.")
    mail_from: str = setting("", MAIL_ADDRESS, "The address that notices come from; needed with a server.")
    mail_reply_to: str = setting("", MAIL_ADDRESS, "Where answers go, if elsewhere.")
    mail_seconds: int = setting(30, whole(1, 60), "How long the server may take for each step.")

    retention_sessions_days: int = setting(
        90, whole(1, 3660), "How long ended sessions of the console and used links are kept."
    )
    retention_import_files_days: int = setting(
        365,
        whole(1, 3660),
        "How long files of imports, with the rows that were rejected, are kept; what they recorded stays.",
    )
    retention_notices_days: int = setting(
        1095,
        whole(90, 3660),
        "How long it is kept which notices were sent, after the day that they are about.",
    )
    retention_deliveries_days: int = setting(
        30, whole(1, 3660), "How long attempts to deliver webhooks are kept at most."
    )
    retention_tasks_days: int = setting(90, whole(1, 3660), "How long it is kept what took long and when.")

    @property
    def metrics_port(self) -> int | None:
        """The port at which metrics are served."""
        return urlsplit(f"tcp://{self.metrics_bind}").port if self.metrics_bind else None


def declared_settings() -> Iterator[tuple[str, Declared, Any]]:
    """Every setting: its field, what is declared of it, its default."""
    for each in fields(Settings):
        declared: Declared = each.metadata[DECLARED]
        variable = declared.variable or f"{PREFIX}{each.name.upper()}"
        yield each.name, Declared(declared.kind, declared.meaning, variable, declared.secret), each.default


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. A variable that is empty counts as not given.

    :param environment: instead of the environment of this process.
    :raises MistakenSettings: naming every variable whose value cannot be right.
    """
    given = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    mistakes = []
    for name, declared, _ in declared_settings():
        text = given.get(declared.variable, "")
        try:
            if text:
                values[name] = declared.kind.field.deserialize(text)
        except ValidationError:
            mistakes.append(_mistake(declared, text, declared.kind.wanted))
    read = _completed(values)
    mistakes += _contradictions(read)
    if mistakes:
        raise MistakenSettings(mistakes)
    return read


def _mistake(declared: Declared, given: object, wanted: str) -> str:
    return f"{declared.variable}: given is {declared.shown(given)!r}, wanted is {wanted}."


def _completed(values: dict[str, Any]) -> Settings:
    """The settings, with what follows from others where it was not given."""
    read = Settings(**values)
    public_url = values.get("public_url", f"http://localhost:{read.port}").rstrip("/")
    return replace(
        read,
        database_url=_at_home(_hosts_apart(read.database_url)),
        listen_url=_hosts_apart(read.listen_url),
        public_url=public_url,
    )


def _contradictions(read: Settings) -> Iterator[str]:
    """Settings that cannot be right together."""
    declared = {name: each for name, each, _ in declared_settings()}
    if read.replica_urls and not read.database_url.startswith("postgresql"):
        yield _mistake(declared["replica_urls"], read.replica_urls, "none, where the register is in SQLite")
    if read.listen_url and not read.database_url.startswith("postgresql"):
        yield _mistake(declared["listen_url"], read.listen_url, "none, where the register is in SQLite")
    yield from _contradictions_of_tokens(read, declared)
    yield from _contradictions_of_sign_in(read, declared)
    yield from _contradictions_of_mail(read, declared)
    if read.pool_size < read.threads:
        wanted = f"at least {declared['threads'].variable}, which is {read.threads}"
        yield _mistake(declared["pool_size"], read.pool_size, wanted)
    if read.metrics_port == read.port:
        yield _mistake(declared["metrics_bind"], read.metrics_bind, f"another port than PORT, {read.port}")
    if read.feed_waiters >= read.threads:
        wanted = f"less than {declared['threads'].variable}, which is {read.threads}"
        yield _mistake(declared["feed_waiters"], read.feed_waiters, wanted)


def _contradictions_of_mail(read: Settings, declared: Mapping[str, Declared]) -> Iterator[str]:
    if not read.mail_host:
        return
    if not read.mail_from:
        yield _mistake(declared["mail_from"], "", "the address that notices come from")
    if read.mail_tls == "none" and read.mail_host not in LOOPBACK:
        yield _mistake(declared["mail_tls"], "none", "starttls or implicit, to another machine than this")
    if bool(read.mail_user) != bool(read.mail_password_file):
        wanted = f"given together with {declared['mail_user'].variable}, or not at all"
        yield _mistake(declared["mail_password_file"], read.mail_password_file, wanted)
    if read.mail_user and read.mail_password_file and not password_of_mail(read):
        yield _mistake(
            declared["mail_password_file"], read.mail_password_file, "a file with a password in it"
        )


def password_of_mail(read: Settings) -> str:
    """The password for the mail server: the first line of its file."""
    if not read.mail_password_file:
        return ""
    return Path(read.mail_password_file).read_text(encoding="utf-8").partition("\n")[0].strip("\r")


def _contradictions_of_tokens(read: Settings, declared: Mapping[str, Declared]) -> Iterator[str]:
    if not read.oidc_issuer:
        return
    if read.oidc_issuer.startswith("http:") and not read.oidc_allow_loopback:
        yield _mistake(declared["oidc_issuer"], read.oidc_issuer, "an address that begins with https:")
    if not read.oidc_audience:
        yield _mistake(declared["oidc_audience"], "", "how tokens name this API")
    if not read.oidc_algorithms:
        yield _mistake(declared["oidc_algorithms"], "", "at least one of them")
    grants = json.loads(read.oidc_roles)
    if not grants:
        yield _mistake(declared["oidc_roles"], read.oidc_roles, "at least one value, or nobody is anything")
    bodiless = [name for name, grant in grants.items() if _lacks_body(grant)]
    if bodiless and not read.oidc_body_claim:
        wanted = f"a body for {', '.join(bodiless)}, or {declared['oidc_body_claim'].variable}"
        yield _mistake(declared["oidc_roles"], read.oidc_roles, wanted)


def _contradictions_of_sign_in(read: Settings, declared: Mapping[str, Declared]) -> Iterator[str]:
    if read.oidc_client_id and not read.oidc_issuer:
        wanted = f"none without {declared['oidc_issuer'].variable}"
        yield _mistake(declared["oidc_client_id"], read.oidc_client_id, wanted)
    if read.oidc_client_secret and not read.oidc_client_id:
        wanted = f"none without {declared['oidc_client_id'].variable}"
        yield _mistake(declared["oidc_client_secret"], read.oidc_client_secret, wanted)
    if "openid" not in read.oidc_scopes:
        yield _mistake(declared["oidc_scopes"], read.oidc_scopes, "openid among them")


def _lacks_body(grant: Mapping[str, Any]) -> bool:
    return grant["role"] in ROLES_OF_A_BODY and "body" not in grant


def unknown_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """A sentence for each variable that begins like a setting and is none."""
    given = os.environ if environment is None else environment
    known = [declared.variable for _, declared, _ in declared_settings()]
    return [
        _unknown(name, known)
        for name in sorted(given)
        if name.startswith(PREFIX) and name not in known and not NOT_OURS.fullmatch(name)
    ]


def _unknown(name: str, known: list[str]) -> str:
    names = [each.removeprefix(PREFIX) for each in known if each.startswith(PREFIX)]
    nearest = get_close_matches(name.removeprefix(PREFIX), names, n=1)
    hint = f"; did you mean {PREFIX}{nearest[0]}?" if nearest else "."
    return f"{name} is no setting of this version{hint}"


def _at_home(url: str) -> str:
    """A relative SQLite path is taken from the folder that the process starts in, as a shell would."""
    scheme, marker, path = url.partition(":///")
    if scheme != "sqlite" or not path or path.startswith(("/", ":", "file:")):
        return url
    return f"{scheme}{marker}{Path.cwd() / path}"
