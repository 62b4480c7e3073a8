"""How gunicorn serves the register; it finds this file in the folder that it is started from.

The environment may say: PORT, REGISTRY_HOST, WEB_CONCURRENCY (processes), REGISTRY_THREADS (of each process),
REGISTRY_ACCESS_LOG ("-" for standard output).
"""

import gc
import os

wsgi_app = "registry.http.app:create_app()"

# This machine only, unless told otherwise; the container image says 0.0.0.0.
bind = f"{os.environ.get('REGISTRY_HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"

# Requests wait on the database more than they compute: threads let one process answer several meanwhile.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("REGISTRY_THREADS", "4"))

# Each worker loads the application itself, so that none inherits another's database connections.
preload_app = False

# A worker that gives no sign of life for so long is replaced. A slow request does not keep it from giving
# one: this limits no request.
timeout = 60
# Requests under way may finish; within the 30 seconds that orchestrators commonly allow for stopping.
graceful_timeout = 25
keepalive = 5

# The longest address is a search; the largest header a bearer token.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# Signs of life are file changes: on a slow or full disk they would come late.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - the file has no name

# Since 25.1 gunicorn opens a socket for its own administration in the home folder: nothing here uses it.
control_socket_disable = True


def post_worker_init(_worker: object) -> None:
    """What a worker loaded at its start stays: the garbage collector need not look through it ever again.

    Requests leave no cycles of their own to speak of, so it may look less often, too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


accesslog = os.environ.get("REGISTRY_ACCESS_LOG") or None
errorlog = "-"
