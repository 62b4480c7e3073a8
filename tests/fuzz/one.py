"""Fuzzes one target with atheris: ``python -m tests.fuzz.one TARGET [arguments of libFuzzer]``.

With the name of a file among the arguments, only that input is tried.
"""

from __future__ import annotations

import sys

import atheris


def main() -> None:
    name, *arguments = sys.argv[1:]
    with atheris.instrument_imports(include=["registry"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], *arguments], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
