"""Counts of what clients use, exact over all processes of a machine: a table in shared memory with one lock.

The table is a file that every process maps, by default in memory (``/dev/shm``). A client's window under a
policy is a slot of 32 bytes; a bucket is eight of them. Where all eight are in use, the one that was used
least makes way: whoever floods the table pushes light users out of it, and gains nothing. The kernel takes
the lock from a process that dies.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Protocol
from weakref import WeakMethod

from registry.domain.allowance import Policy, Taken

MAGIC = b"ndlcnt01"
SEED_BYTES = 32
HEADER = mmap.PAGESIZE
NAME_BYTES = 16
SLOTS = 8
"""In a bucket."""
NAMES = NAME_BYTES * SLOTS
WINDOW = struct.Struct("=dq")
"""When it ends, on the clock that all processes of a machine share; and how much of it was used."""
READ_WINDOW, WRITE_WINDOW = WINDOW.unpack_from, WINDOW.pack_into
BUCKET = NAMES + WINDOW.size * SLOTS
BUCKETS = 1 << 14
SIZE = HEADER + BUCKET * BUCKETS
SAME_WINDOW = 1e-3
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - the file in it is our own, or refused

Cell = tuple[bytes, Policy]
"""A client, by its name as :meth:`Counts.name` gives it, and a policy that it is under."""


class Counts(Protocol):
    """Where clients' windows are counted."""

    def name(self, client: str, policy: Policy) -> bytes:
        """The name of a client under a policy; the same wherever it is counted."""

    def take(self, cells: Sequence[Cell], cost: int) -> Taken:
        """Take so many units of each, or, where one has too few left, of none.

        :param cost: 0 to look only.
        """

    def give_back(self, cells: Sequence[Cell], taken: Taken, cost: int) -> None:
        """Give units back that were taken and not needed, where their window has not ended."""


class CountsUnusable(Exception):
    """The file cannot be used, and why."""


class SharedCounts:
    """Counts of all processes that name the same file, or of this process where none is named.

    :param clock: seconds, of a clock that the processes share and that is never set.
    :raises CountsUnusable: the file cannot be made, or belongs to somebody else.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._descriptor: int | None = None
        self._threads = threading.Lock()
        self._table = mmap.mmap(-1, SIZE) if path is None else self._open(path)
        with self._locked():
            if self._table[: len(MAGIC)] != MAGIC:
                self._table[:HEADER] = MAGIC.ljust(HEADER, b"\0")
                self._table[len(MAGIC) : len(MAGIC) + SEED_BYTES] = secrets.token_bytes(SEED_BYTES)
            self._seed = self._table[len(MAGIC) : len(MAGIC) + SEED_BYTES]
        after_fork = WeakMethod(self._after_fork)
        os.register_at_fork(after_in_child=lambda: (call := after_fork()) and call())

    def _open(self, path: Path) -> mmap.mmap:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            self._descriptor = descriptor
            if os.fstat(descriptor).st_uid != os.geteuid():
                raise CountsUnusable(f"{path} belongs to another user.")
            os.posix_fallocate(descriptor, 0, SIZE)  # now, not when a page is first written
            return mmap.mmap(descriptor, SIZE)
        except OSError as error:
            raise CountsUnusable(f"{path} cannot be used: {error.strerror}.") from error

    def _after_fork(self) -> None:
        """A descriptor that parent and child share would lock for both at once."""
        self._threads = threading.Lock()
        if self._path is not None and self._descriptor is not None:
            inherited, self._descriptor = self._descriptor, os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            os.close(inherited)

    def close(self) -> None:
        """Give the file and the memory back."""
        self._table.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._threads:
            if self._descriptor is None:
                yield
                return
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def name(self, client: str, policy: Policy) -> bytes:
        """As :class:`Counts`. With a secret seed, so that nobody can choose clients of one bucket."""
        told = f"{policy.name} {client}".encode("utf-8", "backslashreplace")
        return blake2b(told, digest_size=NAME_BYTES, key=self._seed).digest()

    def take(self, cells: Sequence[Cell], cost: int) -> Taken:
        """As :class:`Counts`. Every request waits for this: the lock is taken without further ado."""
        descriptor = self._descriptor
        with self._threads:
            if descriptor is None:
                return self._take(cells, cost)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                return self._take(cells, cost)
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _take(self, cells: Sequence[Cell], cost: int) -> Taken:
        now = self._clock()
        found = [(*self._find(name, policy.seconds, now), name, policy.units) for name, policy in cells]
        for _, _, used, _, units in found:
            if used + cost > units:
                return False, tuple([(used, ends - now) for _, ends, used, _, _ in found]), now
        windows = []
        for place, ends, used, name, _ in found:
            if cost:
                self._write(name, place, ends, used + cost)
            windows.append((used + cost, ends - now))
        return True, tuple(windows), now

    def give_back(self, cells: Sequence[Cell], taken: Taken, cost: int) -> None:
        """As :class:`Counts`."""
        _, windows, at = taken
        with self._locked():
            now = self._clock()
            for (name, policy), (_, ends_in) in zip(cells, windows, strict=True):
                place, ends, used = self._find(name, policy.seconds, now)
                if abs(ends - (at + ends_in)) < SAME_WINDOW:
                    self._write(name, place, ends, max(0, used - cost))

    def _find(self, name: bytes, seconds: int, now: float) -> tuple[int, float, int]:
        """The place of a client's window, when the window ends, and what was used of it."""
        table = self._table
        bucket = HEADER + (name[0] << 6 | name[1] >> 2) * BUCKET
        at = table.find(name, bucket, bucket + NAMES)
        while (at - bucket) % NAME_BYTES and at >= 0:
            at = table.find(name, at + 1, bucket + NAMES)
        if at < 0:
            return self._free_place(bucket, now), now + seconds, 0
        place = bucket + NAMES + at - bucket
        ends, used = READ_WINDOW(table, place)
        # One that ends later than a new one would is from before the machine was started anew.
        if now < ends <= now + seconds:
            return place, ends, used
        return place, now + seconds, 0

    def _free_place(self, bucket: int, now: float) -> int:
        best, least = 0, None
        for place in range(bucket + NAMES, bucket + BUCKET, WINDOW.size):
            ends, used = READ_WINDOW(self._table, place)
            if ends <= now:
                return place
            if least is None or used < least:
                best, least = place, used
        return best

    def _write(self, name: bytes, place: int, ends: float, used: int) -> None:
        """A slot's name stands as far before its window as all names of a bucket are long."""
        self._table[place - NAMES : place - NAMES + NAME_BYTES] = name
        WRITE_WINDOW(self._table, place, ends, used)


def file_of_machine(database_url: str) -> Path:
    """The file in which all processes of this machine count that serve one database for one user."""
    folder = MEMORY_FOLDER if os.access(MEMORY_FOLDER, os.W_OK) else Path(tempfile.gettempdir())
    which = blake2b(database_url.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
    return folder / f"registry-counts-{os.geteuid()}-{which}"


def forget(path: Path) -> None:
    """Remove a file of counts, if it is there."""
    with suppress(FileNotFoundError):
        path.unlink()
