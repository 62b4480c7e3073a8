"""What processes cost, as the kernel counts it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [pid, *map(int, children.split())]


def cpu_seconds(pids: Iterable[int], *, with_ended: bool = False) -> float:
    """Processor time of these processes so far.

    :param with_ended: with that of children of theirs that have ended.
    """
    return sum(_ticks(pid, 4 if with_ended else 2) for pid in pids) / CLOCK_TICKS


def _ticks(pid: int, fields: int) -> int:
    """Of a process in user mode and in the kernel; then the same of its children that were waited for."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, told[11 : 11 + fields]))


def private_mib(pids: Iterable[int]) -> float:
    """The largest private memory among these processes, in MiB.

    Counted is what a process wrote and no other has. Pages of a mapped database file are the kernel's, which
    may take them back, even where only one process happened to look at them.
    """
    return max(map(_private_kib, pids)) / 1024


def _private_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))


def peak_mib(pid: int) -> float:
    """The most memory that a process and its children had at any moment so far, in MiB.

    What they were before they became the programs that they are does not count, as it would where a process
    that has ended is asked for its usage. Of one that has ended it is 0.
    """
    try:
        return max(map(_peak_kib, family(pid))) / 1024
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def _peak_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return max((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), default=0)
