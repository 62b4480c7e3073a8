"""How gunicorn serves the register: its settings, by their own names, and its hooks.

gunicorn.conf.py, which gunicorn finds in the folder that it is started from, takes all of it from here; so
does ``gunicorn --config python:registry.http.serving`` where there is no such file.

The first process imports this and little else of the register, and each process that answers forgets it
(:func:`post_fork`) before it loads the register itself: so a reload (HUP) serves the code that is there then.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import structlog

from registry.log import configure_log_of_service
from registry.settings import MistakenSettings, Settings, read_settings, unknown_variables

from .workers import JsonLog, PatientWorker

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
OWN_FOLDER = f"registry-metrics-{os.getpid()}-"
MEMORY = "/dev/shm"  # noqa: S108 - only what has no name, or one that nobody guesses, is made there


def _chosen() -> Settings:
    try:
        return read_settings()
    except MistakenSettings as mistaken:
        sys.exit(str(mistaken))


def _listeners(chosen: Settings) -> list[str]:
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    return [f"{host}:{chosen.port}", *filter(None, [chosen.metrics_bind])]


def _folder(chosen: Settings) -> str:
    """Where the processes count: a folder of this server's own, the same after a reload."""
    if chosen.metrics_folder:
        return chosen.metrics_folder
    parent = worker_tmp_dir or tempfile.gettempdir()
    made = [each for each in Path(parent).glob(f"{OWN_FOLDER}*") if each.stat().st_uid == os.geteuid()]
    return str(made[0]) if made else tempfile.mkdtemp(prefix=OWN_FOLDER, dir=parent)


settings = _chosen()

wsgi_app = "registry.http.app:create_app()"
proc_name = "registry"
bind = _listeners(settings)

# Requests wait on the database more than they compute: threads let one process answer several meanwhile.
worker_class = PatientWorker
workers = settings.workers
threads = settings.threads

# Each worker loads the application itself, so that none inherits another's database connections.
preload_app = False

# A worker that gives no sign of life for so long is replaced. A slow request does not keep it from giving
# one: this limits no request.
timeout = 60
graceful_timeout = settings.graceful_seconds
keepalive = 5

# A process may have 1,024 files open, unless the system was told otherwise; of those, so many are for
# clients. Who connects when there are as many takes the place of one that no request came on.
worker_connections = 600

# What a client does not take at once is kept for it, so all that is sent goes through PatientSocket.
sendfile = False

# The longest address is a search; the largest header a bearer token. More than this gunicorn cannot allow;
# what is longer is answered by PatientWorker.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190

# No proxy tells where in a larger site this is: links in pages that caches keep would lead where anyone says.
forwarder_headers = ""

# Signs of life are file changes: on a slow or full disk they would come late.
worker_tmp_dir = MEMORY if os.access(MEMORY, os.W_OK) else None

# Since 25.1 gunicorn opens a socket for its own administration in the home folder: nothing here uses it.
control_socket_disable = True

# Requests are logged by registry.http.observing, by route; gunicorn would log addresses, with names in them.
logger_class = JsonLog
accesslog = None
errorlog = "-"

raw_env = [f"{FOLDER}={_folder(settings)}"]


def on_starting(server: Any) -> None:
    """Begin to count at nothing; say what looks like a setting and is none."""
    if not server.master_pid:  # else another server, about to be replaced by this one, may count there, too
        folder = Path(server.cfg.env[FOLDER])
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.glob("*.db"):
            left_over.unlink()
    configure_log_of_service()
    for warning in unknown_variables():
        structlog.get_logger(__name__).warning("unknown_setting", detail=warning)


def pre_fork(server: Any, worker: Any) -> None:
    """Give a worker-to-be a number that none of those alive has: files are named by it, so they stay few."""
    taken = {other.number for other in server.WORKERS.values()}
    worker.number = next(number for number in range(len(taken) + 1) if number not in taken)


def post_fork(server: Any, worker: Any) -> None:
    """Count in files of the worker's own; forget what the first process imported of the register."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "registry"]:
        del sys.modules[name]
    from prometheus_client import values

    counts_as = f"{server.pid}-{worker.number}"
    values.ValueClass = values.MultiProcessValue(lambda: counts_as)  # type: ignore[no-untyped-call]  # published half typed


def post_worker_init(worker: Any) -> None:
    """Count the worker itself, and leave all that it loaded to itself.

    What a worker loaded at its start stays: the garbage collector need not look through it ever again.
    Requests leave no cycles of their own to speak of, so it may look less often, too.
    """
    from registry.http import monitoring
    from registry.log import configure_log_of_service

    configure_log_of_service()
    monitoring.watch(worker)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def child_exit(server: Any, worker: Any) -> None:
    """A worker is gone, however it went: what it had counted stays, what it had open does not."""
    for gauge in Path(server.cfg.env[FOLDER]).glob(f"gauge_live*_{server.pid}-{worker.number}.db"):
        gauge.unlink(missing_ok=True)


def on_exit(server: Any) -> None:
    """Remove what this server made."""
    folder = Path(server.cfg.env[FOLDER])
    if folder.name.startswith(OWN_FOLDER):
        shutil.rmtree(folder, ignore_errors=True)
