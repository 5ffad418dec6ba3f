"""The keeper as a task: it hears the bus, acts only with the lock, and survives what goes wrong."""

import asyncio
import contextlib

import pytest
from django.conf import settings

from salon.worker import keeping
from salon.worker.keeping import keep
from salon.worker.lock import KeeperLock
from tests.fakes.bus import FakeBus


class Lock:
    def __init__(self, held=True):
        self.held = held

    def hold(self):
        return self.held


class Heard:
    """Stands for the keeper: remembers, and lets a test wait until it has seen so much."""

    made: asyncio.Future

    def __init__(self, now):
        Heard.made.set_result(self)
        self.calls, self.loop, self.changed = [], asyncio.get_running_loop(), asyncio.Event()
        self.failures = []

    def _note(self, *call):
        self.calls.append(call)
        self.loop.call_soon_threadsafe(self.changed.set)

    def hear(self, subject, message, now):
        self._note("hear", subject, message)

    def hear_nothing(self, now):
        self._note("hear_nothing")

    def round(self, now):
        self._note("round")
        if self.failures:
            raise self.failures.pop()

    def stand_by(self, now):
        self._note("stand_by")

    def forget_heard(self):
        self._note("forget_heard")

    async def until(self, *call):
        async with asyncio.timeout(20):
            while call not in self.calls:
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def running(bus, lock):
    Heard.made = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(keep(bus, lock))
    keeper = await asyncio.wait_for(Heard.made, 20)
    # By its first round it has subscribed to everything.
    await keeper.until("round" if lock.held else "stand_by")
    try:
        yield keeper
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture(autouse=True)
def heard(monkeypatch):
    monkeypatch.setattr(keeping, "Keeper", Heard)
    monkeypatch.setattr(keeping, "_PAUSE_SECS", 0.01)
    monkeypatch.setattr(keeping, "close_old_connections", lambda: None)


async def test_keeper_hears_truth_and_rosters_before_it_acts():
    bus = FakeBus()
    async with running(bus, Lock()) as keeper:
        await bus.publish("truth.room", {"kind": "closed"})
        await bus.publish("roster", {"node": "n"})
        await bus.publish("policy.room", {"not": "for the keeper"})
        await keeper.until("hear", "truth.room", {"kind": "closed"})
        await keeper.until("hear", "roster", {"node": "n"})
        assert ("hear", "policy.room", {"not": "for the keeper"}) not in keeper.calls
        await keeper.until("round")


async def test_keeper_without_the_lock_stands_by():
    async with running(FakeBus(), Lock(held=False)) as keeper:
        await keeper.until("stand_by")
        assert ("round",) not in keeper.calls


async def test_keeper_is_told_when_the_bus_lost_messages_or_is_away():
    bus = FakeBus()
    async with running(bus, Lock()) as keeper:
        assert ("hear_nothing",) not in keeper.calls
        bus.reconnect()
        await keeper.until("hear_nothing")
        keeper.calls.clear()
        bus.disconnect()
        await keeper.until("hear_nothing")


async def test_a_round_that_fails_is_followed_by_the_next():
    async with running(FakeBus(), Lock()) as keeper:
        keeper.failures.append(ZeroDivisionError())
        await keeper.until("forget_heard")
        keeper.calls.clear()
        await keeper.until("round")


@pytest.mark.django_db(transaction=True)
def test_lock_is_held_by_one_worker_at_a_time():
    database = settings.DATABASES["default"]
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    first, second = KeeperLock(url), KeeperLock(url)
    assert (first.hold(), second.hold(), first.hold()) == (True, False, True)
    first.release()
    assert second.hold() is True
    assert first.hold() is False
    second.release()


def test_lock_of_a_database_that_is_away_is_not_held():
    assert KeeperLock("postgresql://nobody@/none?host=/nonexistent").hold() is False
