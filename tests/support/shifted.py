"""A command of the registry by a clock that is ahead: ``python -m tests.support.shifted FILE COMMAND ...``.

FILE holds how many seconds; whoever writes it moves the clock of the running command.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path

from registry import clock
from registry.cli import main

SHIFT = Path(sys.argv.pop(1))
really = clock.now


def now() -> datetime:
    return really() + timedelta(seconds=float(SHIFT.read_text()))


clock.now = now
main()
