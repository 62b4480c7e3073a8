"""``python -m registry.cli``: the same as ``registry``."""

from . import main

main()
