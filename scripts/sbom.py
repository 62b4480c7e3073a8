"""Make the bill of materials of what runs (SBOM, CycloneDX 1.6).

    python -m scripts.sbom build/sbom.cdx.json

It lists what requirements/run.txt locks, with the hashes of the files that may be installed, the licence of
each, and who needs whom; and what was copied into this repository. It is not made where something has no
licence that is known, or no hash.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from scripts.check_locks import ENTRY, ROOT

LOCK = ROOT / "requirements/run.txt"
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
PARENT = re.compile(r"^    #(?: via|  ) ([\w.-]+)", re.MULTILINE)
INDEX = "https://pypi.org/project/"

READ = {
    "async-timeout": "Apache-2.0",  # for the first releases of Python 3.11 alone: not installed everywhere
    "babel": "BSD-3-Clause",
    "flask-sqlalchemy": "BSD-3-Clause",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "joserfc": "BSD-3-Clause",
    "segno": "BSD-3-Clause",
}
"""Licences that were read in the text itself, as the package names them in no way that is one of SPDX's."""

CLASSIFIED = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
}
"""By the classifiers that leave no doubt which; "BSD License" may be any of several."""

UNDERSTOOD = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "PSF-2.0"})
"""What the field License is believed to say in SPDX's words."""


class Unlicensed(Exception):
    """Nobody can say by which licence something is used."""


@dataclass(frozen=True)
class Copied:
    """What was copied into this repository, with the files that it became."""

    name: str
    version: str | None
    licence: str
    source: str
    files: Sequence[str]

    @property
    def hash(self) -> str:
        digest = sha256()
        for file in self.files:
            digest.update((ROOT / file).read_bytes())
        return digest.hexdigest()


COPIED = (
    Copied(
        "swagger-ui-dist",
        "5.34.0",
        "Apache-2.0",
        "https://github.com/swagger-api/swagger-ui",
        (
            "registry/http/static/swagger-ui/swagger-ui-bundle.js",
            "registry/http/static/swagger-ui/swagger-ui.css",
        ),
    ),
    Copied(
        "govuk-frontend",
        "6.6.0",
        "MIT",
        "https://github.com/alphagov/govuk-frontend",
        ("registry/http/web/static/govuk-frontend.css",),
    ),
    Copied(
        "nicknames",
        None,
        "Apache-2.0",
        "https://github.com/carltonnorthern/nicknames",
        ("registry/store/nicknames.csv",),
    ),
)


@dataclass(frozen=True)
class Locked:
    """What requirements/run.txt says of a package."""

    name: str
    version: str
    hashes: tuple[str, ...]
    parents: frozenset[str]


def locked(text: str) -> Iterator[Locked]:
    """Each package of a lock file."""
    for entry in ENTRY.finditer(text):
        hashes = tuple(HASH.findall(entry["rest"]))
        parents = frozenset(canonicalize_name(name) for name in PARENT.findall(entry["rest"]))
        yield Locked(canonicalize_name(entry["name"]), entry["version"], hashes, parents)


def licence_of(package: str, told: Mapping[str, str] = READ) -> str:
    """An SPDX expression: as it was read, else as what is installed says.

    :raises Unlicensed: neither says it.
    """
    if package in told:
        return told[package]
    try:
        found = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        raise Unlicensed(f"{package} is not installed: read its licence, and add it to READ") from None
    if found["License-Expression"]:
        return str(found["License-Expression"])
    if found["License"] in UNDERSTOOD:
        return str(found["License"])
    named = [each for each in found.get_all("Classifier") or () if each.startswith("License ::")]
    if len(named) == 1 and named[0] in CLASSIFIED:
        return CLASSIFIED[named[0]]
    raise Unlicensed(f"{package} names no licence in SPDX's words: read its text, and add it to READ")


def made() -> Bom:
    """The bill of materials.

    :raises Unlicensed: of something no licence is known.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    root = _component(project["name"], project["version"], project["license"], ComponentType.APPLICATION)
    bom = Bom()
    bom.metadata.component = root
    packages = list(locked(LOCK.read_text()))
    components = {package.name: _of_package(package) for package in packages}
    for component in components.values():
        bom.components.add(component)
    needed: dict[str, list[Component]] = {}
    for package in packages:
        for parent in package.parents:
            needed.setdefault(parent, []).append(components[package.name])
    for name, component in components.items():
        bom.register_dependency(component, needed.get(name, ()))
    copied = [_of_copy(copy) for copy in COPIED]
    for component in copied:
        bom.components.add(component)
        bom.register_dependency(component)
    bom.register_dependency(root, [*needed.get(canonicalize_name(project["name"]), ()), *copied])
    return bom


def _of_package(package: Locked) -> Component:
    component = _component(package.name, package.version, licence_of(package.name))
    component.purl = PackageURL("pypi", None, package.name, package.version)
    component.external_references.add(
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(f"{INDEX}{package.name}/{package.version}/#files"),
            comment="The files of which one is installed, as they are locked.",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in package.hashes],
        )
    )
    return component


def _of_copy(copy: Copied) -> Component:
    component = _component(copy.name, copy.version, copy.licence)
    component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=copy.hash))
    component.external_references.add(
        ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(copy.source))
    )
    return component


def _component(
    name: str, version: str | None, licence: str, kind: ComponentType = ComponentType.LIBRARY
) -> Component:
    return Component(
        name=name,
        version=version,
        type=kind,
        bom_ref=name if version is None else f"{name}@{version}",
        licenses=[LicenseFactory().make_from_string(licence)],
    )


def text_of(bom: Bom) -> str:
    """As JSON.

    :raises ValueError: it is not what CycloneDX 1.6 asks for.
    """
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong is not None:
        raise ValueError(f"this is no bill of materials: {str(wrong)[:500]}")
    return text


def lacking(bom: Bom) -> Iterator[str]:
    """What a bill must have and this one has not: every locked package, with a licence and its hashes."""
    there = {component.name: component for component in bom.components}
    for package in locked(LOCK.read_text()):
        component = there.get(package.name)
        if component is None or component.version != package.version:
            yield f"{package.name} {package.version} is not in it"
            continue
        hashes = {each.content for reference in component.external_references for each in reference.hashes}
        if not package.hashes or hashes != set(package.hashes):
            yield f"{package.name} has not the hashes that are locked"
        if not component.licenses:
            yield f"{package.name} has no licence"


def main(arguments: Sequence[str]) -> int:
    (file,) = arguments
    try:
        bom = made()
        text, wrong = text_of(bom), list(lacking(bom))
    except (Unlicensed, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for each in wrong:
        print(each, file=sys.stderr)
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
    print(f"{path}: {len(bom.components)} components")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
