"""Supervised processes, with small programs in their place."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from salon.cli.children import Child, Program
from salon.cli.output import Output
from tests.cli.salon_process import is_alive

SECS = 20


class Supervised:
    """One child that runs Python, what it logged, and what the supervisor said of it."""

    def __init__(self, folder: Path, script: str, **options: object) -> None:
        self.said: list[str] = []
        self.output = Output("part", folder / "logs")
        command = [sys.executable, "-S", "-u", "-c", script]
        program = Program("part", command, dict(os.environ), **options)  # type: ignore[arg-type]
        self.child = Child(program, self.output, self.said.append)

    def log(self) -> list[str]:
        return self.output.path.read_text().splitlines()

    async def until(self, count: int) -> list[str]:
        """Its log, once it has at least `count` lines."""
        async with asyncio.timeout(SECS):
            while len(lines := self.log()) < count:  # noqa: ASYNC110  (another process's file)
                await asyncio.sleep(0.01)
        return lines


@pytest.fixture
async def supervise(tmp_path: Path) -> AsyncIterator[object]:
    made: list[Supervised] = []

    def supervise(script: str, **options: object) -> Supervised:
        made.append(Supervised(tmp_path, script, **options))
        made[-1].child.start()
        return made[-1]

    yield supervise
    for supervised in made:
        await supervised.child.stop(0)


async def test_child_that_ends_is_started_again_and_it_is_said(supervise) -> None:
    supervised = supervise("import os; print(os.getpid()); raise SystemExit(3)")

    first, second, *_ = await supervised.until(2)

    assert first != second
    assert supervised.said[0] == "part ended with status 3; it starts again."


async def test_killed_child_takes_its_own_children_with_it(supervise) -> None:
    """A web server's workers would otherwise keep its port."""
    supervised = supervise(
        "import os, time\nworker = os.fork()\nif worker: print(os.getpid(), worker, flush=True)\ntime.sleep(600)",
    )
    (line,) = await supervised.until(1)
    parent, worker = map(int, line.split())

    os.kill(parent, signal.SIGKILL)

    await supervised.until(2)
    assert [is_alive(parent), is_alive(worker)] == [False, False]
    assert supervised.said == ["part was killed by SIGKILL; it starts again."]


async def test_stop_asks_first(supervise) -> None:
    supervised = supervise(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('goodbye'), sys.exit(0)))\n"
        "print('ready')\nwhile True: time.sleep(0.1)"
    )
    await supervised.until(1)

    await supervised.child.stop(SECS)

    assert (await supervised.until(2), supervised.said) == (["ready", "goodbye"], [])


async def test_stop_uses_the_signal_that_the_program_wants(supervise) -> None:
    supervised = supervise(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: (print('fast shutdown'), sys.exit(0)))\n"
        "print('ready')\nwhile True: time.sleep(0.1)",
        stop_signal=signal.SIGINT,
    )
    await supervised.until(1)

    await supervised.child.stop(SECS)

    assert await supervised.until(2) == ["ready", "fast shutdown"]


async def test_stop_insists_where_asking_is_not_enough(supervise) -> None:
    supervised = supervise("import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(os.getpid())\ntime.sleep(600)")
    (pid,) = await supervised.until(1)

    await supervised.child.stop(0.05)

    assert not is_alive(int(pid))


async def test_interrupt_at_the_terminal_does_not_reach_the_child(supervise) -> None:
    supervised = supervise("import os; print(os.getpgid(0), os.getsid(0)); import time; time.sleep(600)")

    ((group, session),) = [map(int, line.split()) for line in await supervised.until(1)]

    assert (group, session) == (supervised.child.pid, supervised.child.pid)
    assert group != os.getpgid(0)
