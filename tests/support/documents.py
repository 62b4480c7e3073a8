"""The code in documents, to be run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def python_blocks(path: str) -> list[str]:
    """Each block of Python in a document of the project's, in order."""
    return BLOCK.findall((ROOT / path).read_text())
