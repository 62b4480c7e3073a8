"""How much is tried where a test could go on for ever: little in ``make test``, much in ``make fuzz``."""

from __future__ import annotations

import os

EFFORT = int(os.environ.get("REGISTRY_TEST_EFFORT", "1"))
"""How many times as much as in ``make test``."""
IS_LONG = EFFORT > 1
"""Then nothing is left out for the sake of time, and what is drawn by lot is drawn anew in each run."""
