"""Rules of the house that no tool knows, read off the syntax of registry/ (not its text)."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.glob("registry/**/*.py"))}
DOMAIN = [name for name in MODULES if name.startswith("registry/domain/")]

READS_ENVIRONMENT = {
    *("os.environ", "os.environb", "os.getenv", "os.getenvb"),
    *("environs.Env", "environs.env", "dotenv"),
}

# What measures a duration (time.monotonic, time.perf_counter) tells no time, and is free.
READS_TIME = {
    *("datetime.date.today", "datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow"),
    *("time.asctime", "time.ctime", "time.gmtime", "time.localtime", "time.strftime", "time.time"),
    *("time.clock_gettime", "time.clock_gettime_ns", "time.time_ns", "uuid.uuid1"),
    # The database's clock is one clock too many.
    *("sqlalchemy.func.now", "sqlalchemy.func.sysdate", "sqlalchemy.func.clock_timestamp"),
    *("sqlalchemy.func.current_date", "sqlalchemy.func.current_time", "sqlalchemy.func.current_timestamp"),
    *("sqlalchemy.func.localtime", "sqlalchemy.func.localtimestamp", "sqlalchemy.func.transaction_timestamp"),
}

SILENCER = re.compile(
    r"#\s*(noqa(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)?|type:\s*ignore(\[\S*\])?|pragma:\s*no\s+\w+|fmt:\s*\w+)(?P<rest>.*)"
)
REASON = re.compile(r"[a-z]{2,}.*\b[a-z]{2,}", re.IGNORECASE)


def imported(source: str) -> Iterator[tuple[int, str, str]]:
    """Each import in `source`: its line, the name that it binds, and the full name of what that is."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                full = alias.name if alias.asname else alias.name.split(".")[0]
                yield node.lineno, alias.asname or full, full
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                yield node.lineno, alias.asname or alias.name, f"{module}.{alias.name}"


def reached(source: str) -> Iterator[tuple[int, str]]:
    """The line and full name of what `source` imports, or reaches through what it imports."""
    known = {}
    for line, name, full in imported(source):
        known[name] = full
        yield line, full
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and (full_name := _full_name(node, known)):
            yield node.lineno, full_name


def _full_name(node: ast.expr, known: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := _full_name(node.value, known)):
        return f"{owner}.{node.attr}"
    return None


def uses(source: str, forbidden: set[str]) -> list[str]:
    return [
        f"line {line}: {name}"
        for line, name in reached(source)
        if any(f"{name}.".startswith(f"{each}.") for each in forbidden)
    ]


def foreign_imports(source: str) -> list[str]:
    """What a module of the domain imports from neither the standard library nor the domain."""
    return [
        f"line {line}: {full}"
        for line, _, full in imported(source)
        if full.split(".")[0] not in sys.stdlib_module_names
        and not full.startswith("registry.domain.")
        and not re.match(r"\.[^.]", full)
    ]


def unexplained_silencers(source: str) -> list[str]:
    """Comments that silence a tool without a reason after them."""
    return [
        f"line {token.start[0]}: {token.string}"
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
        and (found := SILENCER.search(token.string))
        and not REASON.search(found["rest"])
    ]


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"registry/settings.py"}))
def test_only_the_settings_read_the_environment(module: str) -> None:
    assert uses(MODULES[module].read_text(), READS_ENVIRONMENT) == []


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"registry/clock.py"}))
def test_only_the_clock_reads_the_time(module: str) -> None:
    assert uses(MODULES[module].read_text(), READS_TIME) == []


@pytest.mark.parametrize("module", DOMAIN)
def test_the_domain_knows_only_the_standard_library_and_itself(module: str) -> None:
    assert foreign_imports(MODULES[module].read_text()) == []


@pytest.mark.parametrize("module", MODULES)
def test_what_silences_a_tool_says_why(module: str) -> None:
    assert unexplained_silencers(MODULES[module].read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.environ['A']",
        "import os as system\nsystem.getenv('A')",
        "from os import environ",
        "from os import getenv as read",
        "def f():\n    import os\n    return os.environ.get('A')",
        "from environs import Env",
    ],
)
def test_a_reader_of_the_environment_is_found(source: str) -> None:
    assert uses(source, READS_ENVIRONMENT)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "import datetime as dt\ndt.date.today()",
        "from datetime import date\ndefault = date.today",
        "import time\ntime.time()",
        "from time import time_ns",
        "from sqlalchemy import func\nfunc.now()",
        "import sqlalchemy as sa\nsa.func.current_timestamp()",
    ],
)
def test_a_reader_of_the_time_is_found(source: str) -> None:
    assert uses(source, READS_TIME)


@pytest.mark.parametrize(
    "source",
    [
        "from registry import clock\nclock.now()",
        "import time\ntime.monotonic()",
        "from datetime import datetime\ndatetime.fromisoformat('2026-01-01')",
        "def f(now):\n    return now.today()",
        "'os.environ'  # time.time()",
    ],
)
def test_what_is_allowed_is_let_be(source: str) -> None:
    assert uses(source, READS_TIME | READS_ENVIRONMENT) == []


@pytest.mark.parametrize(
    "source",
    [
        "import flask",
        "from registry.errors import NotFound",
        "from ..errors import NotFound",
        "from registry import clock",
    ],
)
def test_a_foreign_import_of_the_domain_is_found(source: str) -> None:
    assert foreign_imports(source)


@pytest.mark.parametrize(
    "source",
    [
        "from __future__ import annotations",
        "import zoneinfo",
        "from .rules import A",
        "from registry.domain.rules import A",
    ],
)
def test_a_proper_import_of_the_domain_is_let_be(source: str) -> None:
    assert foreign_imports(source) == []


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("# noqa: S603", True),
        ("# noqa: ARG001, TID252", True),
        ("# type: ignore[no-any-return]", True),
        ("# pragma: no cover", True),
        ("# noqa: S603 - a command of our own", False),
        ("# noqa: S603, S607 - a command of our own", False),
        ("# type: ignore[no-any-return]  # the stub is wrong", False),
        ("# a remark", False),
    ],
)
def test_an_unexplained_silencer_is_found(comment: str, found: bool) -> None:
    assert bool(unexplained_silencers(f"x = 1  {comment}\n")) is found
