"""Several acts begun together, as by several people on several real connections."""

import threading
from collections.abc import Callable

from django.db import connection

from salon.common.errors import SalonError


def at_once(*acts: Callable[[], object], on_open_connections: bool = True) -> list[object]:
    """Each on a thread of its own. Answers, or codes of refusals, in the order given.

    on_open_connections: they begin when all have one. Otherwise each takes one when it can: a process has fewer than a crowd needs.
    """
    results: list[object] = [None] * len(acts)
    barrier = threading.Barrier(len(acts))

    def run(n: int, act: Callable[[], object]) -> None:
        try:
            if on_open_connections:
                connection.ensure_connection()
            barrier.wait()
            results[n] = act()
        except SalonError as refusal:
            results[n] = refusal.code
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
