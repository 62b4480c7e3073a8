"""How gunicorn serves the register; it finds this file in the folder that it is started from.

All that it says stands in registry/http/serving.py, and every setting in docs/settings.md.
"""

import sys

# A reload (HUP) reads this file again, in the same process: then the newest code has the say.
for _name in [name for name in sys.modules if name.partition(".")[0] == "registry"]:
    del sys.modules[_name]

from registry.http.serving import *  # noqa: E402, F403 - gunicorn takes its settings by their names
