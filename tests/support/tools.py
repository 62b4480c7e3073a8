"""Programs that are no Python packages: found where they are installed, or the test says what is missing."""

from __future__ import annotations

import os
import shutil

import pytest

REQUIRED = "REGISTRY_TEST_REQUIRE_TOOLS"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def tool(name: str, package: str) -> str:
    """Where a program is; without it the test is skipped, or fails where all are required.

    :param package: of Debian, that has it.
    """
    found = shutil.which(name, path=PATH)
    if found is None:
        reason = f"no {name}: apt-get install {package}"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return found
