"""Django under granian: WSGI, on loopback, behind the gateway."""

import os
import sys

from salon.config.environment import environment

# Requests are short and mostly wait for PostgreSQL; the connection pool in settings.py has as many connections as this.
_THREADS = 8


# No --backpressure: granian counts connections with it, not requests, and the gateway keeps idle ones open; with eight of
# those the ninth would wait until one is closed.


def run_web() -> int:
    """Becomes granian: signals and exit status are its own. Returns never."""
    settings = environment()
    command = [
        sys.executable, "-m", "granian", "salon.config.wsgi:application",
        "--interface", "wsgi", "--http", "1", "--no-ws",
        "--host", "127.0.0.1", "--port", str(settings.web_port),
        "--workers", "1", "--blocking-threads", str(_THREADS),
        "--respawn-failed-workers", "--workers-kill-timeout", "2",
        # Its only warning here is that there are more threads than cores, as there should be: they wait for the database.
        "--no-access-log", "--log-level", "error",
    ]  # fmt: skip
    os.execv(sys.executable, command)  # noqa: S606  (fixed arguments)
