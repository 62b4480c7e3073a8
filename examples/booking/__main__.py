"""Start the booking system, and a registry beside it where none is named. See README.md."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import urllib3
from werkzeug.serving import make_server

from booking import check_again, create_app
from ledger import one_at_a_time
from needling_registry import Registry, RegistryError

STAFF = [("ca-ab", f"PT-{number}") for number in range(10001, 10031)]
"""Who works here; everyone in the demonstration register is invented."""
REGISTRY = [sys.executable, "-m", "registry.cli"]


def main() -> None:
    """Serve until it is stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    port, file = (
        int(os.environ.get("BOOKING_PORT", "8001")),
        os.environ.get("BOOKING_FILE", "var/bookings.db"),
    )
    here = os.environ.get("BOOKING_URL", f"http://127.0.0.1:{port}")
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        url = os.environ.get("REGISTRY_URL") or stack.enter_context(started_registry())
        registry = Registry(url, os.environ.get("REGISTRY_KEY") or make_key())
        secret = subscribe(registry, f"{here}/registry-webhook")
        server = make_server("127.0.0.1", port, create_app(registry, secret, STAFF, file), threaded=True)
        with one_at_a_time(file) as ledger:  # what changed while this did not run was not heard
            check_again(registry, ledger, ledger.all())
        tell(here)
        server.serve_forever()


def subscribe(registry: Registry, url: str) -> str:
    """Put down who works here, and have what concerns them delivered: the secret that signs it."""
    registry.put_roster("staff", STAFF)
    for webhook in registry.webhooks:
        if webhook.url == url:  # of an earlier start, whose secret is gone with it
            registry.webhooks.delete(registry.webhooks.get(webhook.id))
    _, secret = registry.webhooks.create(url, roster="staff", description="Example booking system")
    return secret


@contextmanager
def started_registry() -> Iterator[str]:
    """A registry that may deliver to this machine, until the block ends: its address."""
    url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    if is_ready(url):
        raise SystemExit(f"A registry answers at {url} already: stop it, or name it with REGISTRY_URL.")
    environment = {**os.environ, "REGISTRY_WEBHOOKS_ALLOW_LOOPBACK": "true"}
    with subprocess.Popen([*REGISTRY, "serve"], env=environment) as process:
        try:
            while not is_ready(url):
                if process.poll() is not None:
                    raise SystemExit("The registry did not start.")
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()


def is_ready(url: str) -> bool:
    """Whether a registry answers there."""
    try:
        return urllib3.request("GET", f"{url}/readyz", retries=False, timeout=5).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def make_key() -> str:
    """A clinic's key to the registry whose database is at hand."""
    command = [
        *REGISTRY,
        "keys",
        "create",
        "--role",
        "clinic",
        "--label",
        "Example booking system",
        "--quiet",
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def tell(here: str) -> None:
    """Say what there is to try."""
    day = datetime.now(UTC).date() + timedelta(days=14)
    print(
        f"""
The booking system   {here}/bookings
  curl -d patient=Mia -d body=ca-ab -d number=PT-10001 -d day={day} {here}/bookings
  curl -d patient=Mia -d body=ca-ab -d number=PT-10004 -d day={day} {here}/bookings
  curl {here}/bookings
""",
        flush=True,
    )


if __name__ == "__main__":
    try:
        main()
    except RegistryError as error:
        raise SystemExit(f"The registry does not let this system in: {error}") from error
    except KeyboardInterrupt:
        pass
