"""Whether requirements/*.txt belong to pyproject.toml, without asking an index.

Each requirement of pyproject.toml is locked at a version that it allows; each locked version has hashes;
nothing is locked on behalf of a requirement that is gone; the files agree; none names an index.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
ENTRY = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[\w.!+]+)(?P<rest>(?:.*\\\n|.*\n(?=\s))*.*)", re.MULTILINE
)


class Lock:
    def __init__(self, path: Path) -> None:
        self.name = path.relative_to(ROOT).as_posix()
        self.text = path.read_text()
        entries = {canonicalize_name(entry["name"]): entry for entry in ENTRY.finditer(self.text)}
        self.versions = {name: entry["version"] for name, entry in entries.items()}
        self.unhashed = sorted(
            name for name, entry in entries.items() if "--hash=sha256:" not in entry["rest"]
        )
        self.wanted_by_us = {name for name, entry in entries.items() if "needling-registry" in entry["rest"]}

    def problems(self, requirements: list[Requirement]) -> Iterator[str]:
        """What is wrong with this file for one that locks `requirements`."""
        declared = {canonicalize_name(requirement.name) for requirement in requirements}
        for requirement in requirements:
            version = self.versions.get(canonicalize_name(requirement.name))
            if version is None:
                yield f"{self.name}: {requirement.name} is not locked"
            elif not requirement.specifier.contains(version, prereleases=True):
                yield f"{self.name}: {requirement.name} {version} is locked, but {requirement} is declared"
        for name in sorted(self.wanted_by_us - declared):
            yield f"{self.name}: {name} is locked, but no longer declared"
        for name in self.unhashed:
            yield f"{self.name}: {name} has no hash"
        if re.search(r"^\s*(-i|-f|--(extra-)?index-url|--find-links)\b|://", self.text, re.MULTILINE):
            yield f"{self.name}: names an index or an address"


FILES = {"run": (), "dev": ("dev",), "fuzz": ("fuzz",), "peers": ("peers",)}
"""By the name of each file of requirements/, the groups that it locks beside what runs."""


def declared() -> Iterator[tuple[str, list[Requirement]]]:
    """The name of each file, and what it locks."""
    document: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups = document["project"], document["dependency-groups"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    run = [*project["dependencies"], *extras, *groups["build"]]
    for name, more in FILES.items():
        wanted = chain(run, *(groups[group] for group in more))
        yield name, [Requirement(each) for each in wanted]


def problems() -> Iterator[str]:
    locks = {name: Lock(ROOT / f"requirements/{name}.txt") for name in FILES}
    for name, requirements in declared():
        yield from locks[name].problems(requirements)
    run = locks["run"]
    for lock in locks.values():
        for name, version in run.versions.items():
            if lock.versions.get(name) != version:
                yield f"{lock.name}: {name} is {lock.versions.get(name)}, but {version} in {run.name}"


def main() -> int:
    found = list(problems())
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print("`make lock` brings the lock files up to date.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
