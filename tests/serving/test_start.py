"""What a server says before it serves."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.serving import PATIENCE, ROOT

MISTAKEN = {
    "REGISTRY_DATABASE_URL": "postgresql://me:Hunter2@host:port/register",
    "REGISTRY_THREADS": "many",
    "WEB_CONCURRENCY": "0",
    "PORT": "http",
}


@pytest.mark.parametrize(
    "command",
    [
        ["gunicorn"],
        ["gunicorn", "--config", "python:registry.http.serving"],
        ["registry.cli", "serve"],
        ["registry.cli", "deliver"],
        ["registry.cli", "sweep"],
    ],
    ids=" ".join,
)
def test_no_process_starts_with_mistaken_settings_and_all_are_told(command: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **MISTAKEN},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 1
    for variable in MISTAKEN:
        assert f"{variable}: given is" in ended.stderr
    assert "Hunter2" not in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr
    assert "Listening" not in ended.stderr
