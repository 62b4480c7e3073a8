"""What another account of the same machine, or what an image holds besides the service, could be used for."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from registry.store.counts import CountsUnusable, SharedCounts
from scripts.check_locks import ROOT


def test_counts_are_kept_in_no_file_of_another_and_behind_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their place in shared memory can be guessed: somebody may have put something there before."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"as it was")
    link = tmp_path / "link"
    link.symlink_to(precious)
    with pytest.raises(CountsUnusable):
        SharedCounts(link)
    assert precious.read_bytes() == b"as it was"
    own = tmp_path / "own"
    SharedCounts(own).close()
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    monkeypatch.setattr(os, "geteuid", lambda: own.stat().st_uid + 1)
    with pytest.raises(CountsUnusable):
        SharedCounts(own)


def test_the_image_is_made_of_what_runs_alone() -> None:
    """Neither the repository's history nor tests, tools, settings or databases are sent to what builds it."""
    first, *others = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert first == "*"
    let_in = {line.removeprefix("!").rstrip("/") for line in others if line.startswith("!")}
    for kept_out in (".git", ".venv", ".env", "var", "tests", "bench", "deploy", "requirements/dev.txt"):
        assert not any(kept_out.startswith(each) or each.startswith(f"{kept_out}/") for each in let_in)
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {name for names in copied for name in names.split()} <= let_in
    *_, last = re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert int(last) > 0
