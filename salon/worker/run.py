"""The worker as a process: procrastinate's jobs and the keeper, side by side in one event loop."""

import asyncio
import logging
import os
import signal

import django

from salon.bus import open_bus
from salon.bus.alive import say_alive
from salon.common.ids import new_id
from salon.config.environment import environment

logger = logging.getLogger(__name__)

# Jobs wait on mail servers and files more than they work.
_CONCURRENCY = 4
_STOP_SECS = 3.0


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.config.settings")
    django.setup()
    asyncio.run(_work())
    return 0


async def _work() -> None:
    # Django must be set up before its models are imported.
    from salon.worker.keeping import keep  # noqa: PLC0415
    from salon.worker.lock import KeeperLock  # noqa: PLC0415

    settings = environment()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    bus, lock = await open_bus(settings), KeeperLock(settings.database_url)
    logger.info("The worker works.", extra={"action": "worker_started"})
    tasks = [
        asyncio.create_task(_run_jobs(), name="jobs"),
        asyncio.create_task(keep(bus, lock), name="keeper"),
        asyncio.create_task(say_alive(bus, "worker", new_id()), name="alive"),
    ]
    stop = asyncio.create_task(stopping.wait(), name="stop")
    done, _ = await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (stop, *tasks):
        task.cancel()
    await asyncio.wait([stop, *tasks], timeout=_STOP_SECS)
    lock.release()
    await bus.close()
    for task in done - {stop}:
        task.result()  # None of them ends by itself: whoever did, failed, and the supervisor shall see it.
        raise RuntimeError(f"the worker's task {task.get_name()} ended")


async def _run_jobs() -> None:
    from procrastinate.contrib.django import app  # noqa: PLC0415
    from procrastinate.contrib.django.django_connector import DjangoConnector  # noqa: PLC0415

    # Django's own connector only defers jobs; its twin for workers shares the database settings.
    connector: DjangoConnector = app.connector  # type: ignore[assignment]
    with app.replace_connector(connector.get_worker_connector()) as worker:
        async with worker.open_async():
            await worker.run_worker_async(
                concurrency=_CONCURRENCY, install_signal_handlers=False, shutdown_graceful_timeout=_STOP_SECS, delete_jobs="successful"
            )
