"""The keeper as a task: messages in from the bus, rounds out on a thread, because Django's queries wait."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import Error as DatabaseError
from django.db import close_old_connections

from salon.bus import Bus, Message, MessagesLost, Subscription
from salon.common import sound_quality
from salon.worker.keeper import Keeper
from salon.worker.lock import KeeperLock

logger = logging.getLogger(__name__)

SUBJECTS = ("truth.>", "talk.>", "roster", sound_quality.SUBJECT)
Inbox = deque[tuple[float, Message | MessagesLost]]
"""What was heard and when (monotonic seconds). Filled by the event loop, emptied by the keeper's thread."""
# The pause between rounds while nothing is heard; a word of truth cuts it short, and many at once share a round.
_PAUSE_SECS = 1.0
_GATHER_SECS = 0.05


async def keep(bus: Bus, lock: KeeperLock, clock: Callable[[], float] = time.monotonic) -> None:
    """For ever. A database that is away costs rounds, never the task."""
    keeper, inbox, heard = Keeper(clock()), Inbox(), asyncio.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="keeper") as thread:
        async with asyncio.TaskGroup() as tasks:
            for subject in SUBJECTS:
                subscription = await bus.subscribe(subject)
                tasks.create_task(_listen(subscription, inbox, heard, clock))
            while True:
                if not bus.is_connected:
                    inbox.append((clock(), MessagesLost()))
                await asyncio.get_running_loop().run_in_executor(thread, _round, keeper, inbox, lock, clock())
                await _pause(heard)


async def _listen(subscription: Subscription, inbox: Inbox, heard: asyncio.Event, clock: Callable[[], float]) -> None:
    async for item in subscription:
        inbox.append((clock(), item))
        if isinstance(item, Message) and item.subject.startswith("truth."):
            heard.set()


async def _pause(heard: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_PAUSE_SECS):
            await heard.wait()
            await asyncio.sleep(_GATHER_SECS)
    except TimeoutError:
        pass
    heard.clear()


def _round(keeper: Keeper, inbox: Inbox, lock: KeeperLock, now: float) -> None:
    """On the keeper's thread, which alone touches the keeper."""
    close_old_connections()
    try:
        _read(keeper, inbox)
        if lock.hold():
            keeper.round(now)
        else:
            keeper.stand_by(now)
    except DatabaseError as error:
        logger.warning("A round failed; the next one does it again.", extra={"action": "keeper_round_failed", "kind": type(error).__name__})
    except Exception:
        logger.exception("A round failed by our fault.", extra={"action": "keeper_round_failed"})
        # Whatever it stumbled over must not stop the rounds to come; the rosters tell the rest again.
        keeper.forget_heard()
    finally:
        close_old_connections()


def _read(keeper: Keeper, inbox: Inbox) -> None:
    while inbox:
        at, item = inbox.popleft()
        if isinstance(item, MessagesLost):
            keeper.hear_nothing(at)
        else:
            keeper.hear(item.subject, item.parsed(), at)
