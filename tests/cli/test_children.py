"""Supervised processes, with small programs in their place."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from salon.cli import children
from salon.cli.children import Child, HandOverFailed, Program
from salon.cli.held import out_of_the_way
from salon.cli.output import Output
from salon.config.inherited import Notices, take_descriptors
from salon.relay.book import new_memory
from tests.cli.salon_process import is_alive

SECS = 20
ROOT = Path(__file__).parents[2]


class Supervised:
    """One child that runs Python, what it logged, and what the supervisor said of it."""

    def __init__(self, logs: Path, script: str, **options: object) -> None:
        self.said: list[str] = []
        self.output = Output("part", logs)
        command = [sys.executable, "-S", "-u", "-c", script]
        program = Program("part", command, {**os.environ, "LOG": str(self.output.path)}, **options)  # type: ignore[arg-type]
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
        made.append(Supervised(tmp_path / "logs", script, **options))
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


# What outlives a process

NOTED = """
import os, signal, sys, time
from salon.config.inherited import STANDING_BY, Notices, take_descriptors
held, notices = take_descriptors(os.environ), Notices.take(os.environ)
log = os.open(os.environ["LOG"], os.O_WRONLY | os.O_APPEND)
def print(*words, flush=True):
    os.write(log, (" ".join(map(str, words)) + "\\n").encode())
"""
"""The beginning of a program that is given notices and descriptors; it runs in the source folder. What two processes say comes in the
order in which they said it, which it would not through a pipe of each."""

MEDIA = (
    NOTED
    + """
from salon.relay.book import SessionBook
def leave(*_):
    print("left", flush=True)
    os._exit(0)
signal.signal(signal.SIGUSR2, leave)
book = SessionBook(held["session-book"][0])
if not book.take_at_once():
    %s
    while not book.take_at_once(): time.sleep(0.001)
print("running", os.getpid(), flush=True)
notices.tell("READY=1")
while True: time.sleep(600)
"""
)


@pytest.fixture
def memory() -> Iterator[int]:
    descriptor = new_memory()
    yield descriptor
    os.close(descriptor)


def held(*descriptors: tuple[str, int]) -> dict[str, object]:
    return {
        "descriptors": [(name, out_of_the_way(os.dup(descriptor))) for name, descriptor in descriptors],
        "folder": str(ROOT),
        "gives_notice": True,
    }


async def test_descriptors_are_there_again_after_a_kill(supervise, memory: int) -> None:
    supervised = supervise(
        NOTED + "file = os.fdopen(held['session-book'][0], 'r+b', buffering=0)\nprint(os.getpid(), file.read(), sorted(held), flush=True)\n"
        "file.write(b'kept')\nfile.seek(0)\nprint('written', 'LISTEN_PID' in os.environ, flush=True)\ntime.sleep(600)",
        **held(("other", memory), ("session-book", memory)),
    )
    first, written = await supervised.until(2)
    os.lseek(memory, 0, os.SEEK_SET)

    os.kill(int(first.split()[0]), signal.SIGKILL)

    _, _, second, _ = await supervised.until(4)
    assert (first.split(" ", 1)[1], written) == ("b'' ['other', 'session-book']", "written False")
    assert second.split(" ", 1)[1] == "b'kept' ['other', 'session-book']"


async def test_descriptors_meant_for_another_process_are_not_taken() -> None:
    for process in ("", "1", str(os.getpid() + 1)):
        env = {"LISTEN_PID": process, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "media-udp"}
        assert (take_descriptors(env), env) == ({}, {})


async def test_hand_over_lets_the_successor_begin_when_the_old_process_has_left(supervise, memory: int) -> None:
    supervised = supervise(MEDIA % "notices.tell(STANDING_BY)", **held(("session-book", memory)))
    (first,) = await supervised.until(1)

    secs = await supervised.child.hand_over(SECS)

    assert (await supervised.until(3))[:2] == [first, "left"]
    assert supervised.log()[2] == f"running {supervised.child.pid}" != first
    assert (secs < SECS, is_alive(int(first.split()[1])), supervised.said, supervised.child.failures) == (True, False, [], 0)
    await supervised.child.hand_over(SECS)  # and again
    assert len(await supervised.until(5)) == 5


async def test_successor_that_is_not_ready_in_time_is_ended_and_the_old_process_goes_on(supervise, memory: int) -> None:
    supervised = supervise(MEDIA % "print('slow', os.getpid(), flush=True); time.sleep(600)", **held(("session-book", memory)))
    (first,) = await supervised.until(1)

    with pytest.raises(HandOverFailed) as failed:
        await supervised.child.hand_over(2)

    assert failed.value.args == ("part: the new process was not ready within 2 s. The old one goes on.",)
    assert (failed.value.is_running, supervised.child.pid) == (True, int(first.split()[1]))
    slow = int(supervised.log()[1].split()[1])
    await no_longer_alive(slow)
    assert (is_alive(int(first.split()[1])), supervised.said) == (True, [])


async def test_successor_that_fails_at_its_start_changes_nothing(supervise, memory: int) -> None:
    supervised = supervise(MEDIA % "raise SystemExit(3)", **held(("session-book", memory)))
    (first,) = await supervised.until(1)

    with pytest.raises(HandOverFailed, match="the new process ended at its start"):
        await supervised.child.hand_over(SECS)

    assert is_alive(int(first.split()[1]))


async def test_two_who_ask_at_once_make_one_successor(supervise, memory: int) -> None:
    """The other is refused at once: two successors would wait for each other, and one of them be watched by nobody."""
    supervised = supervise(MEDIA % "notices.tell(STANDING_BY)", **held(("session-book", memory)))
    await supervised.until(1)

    outcomes = await asyncio.gather(supervised.child.hand_over(SECS), supervised.child.hand_over(SECS), return_exceptions=True)

    assert [str(outcome) for outcome in outcomes if isinstance(outcome, HandOverFailed)] == [
        "part is being replaced or stopped already."
    ], outcomes
    assert (await supervised.until(3))[1:] == ["left", f"running {supervised.child.pid}"]


async def test_old_process_that_dies_before_its_successor_stands_by_is_followed_by_it(supervise, memory: int) -> None:
    slow = "print('begins', os.getpid(), flush=True); time.sleep(1); notices.tell(STANDING_BY)"
    supervised = supervise(MEDIA % slow, **held(("session-book", memory)))
    (first,) = await supervised.until(1)
    handing_over = asyncio.create_task(supervised.child.hand_over(SECS))
    begins = (await supervised.until(2))[1]

    os.kill(int(first.split()[1]), signal.SIGKILL)
    await handing_over

    assert await supervised.until(3) == [first, begins, begins.replace("begins", "running")]
    assert (supervised.child.pid, supervised.said) == (int(begins.split()[1]), ["part was killed by SIGKILL; its successor goes on."])
    await supervised.child.hand_over(SECS)  # and again


async def test_old_process_that_will_not_leave_is_ended(supervise, memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_LEAVE_SECS", 0.1)
    deaf = MEDIA.replace("signal.signal(signal.SIGUSR2, leave)", "signal.signal(signal.SIGUSR2, signal.SIG_IGN)")
    supervised = supervise(deaf % "notices.tell(STANDING_BY)", **held(("session-book", memory)))
    (first,) = await supervised.until(1)

    await supervised.child.hand_over(SECS)

    await no_longer_alive(int(first.split()[1]))
    assert (await supervised.until(2))[1] == f"running {supervised.child.pid}"


async def test_stuck_process_is_noticed_ended_and_started_again(supervise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "WATCHDOG_SECS", 2)
    supervised = supervise(
        NOTED + "print(os.getpid(), flush=True)\nnotices.tell('READY=1')\nnotices.tell('WATCHDOG=1')\ntime.sleep(600)",
        folder=str(ROOT), gives_notice=True,
    )  # fmt: skip

    await supervised.until(2)

    assert supervised.said == [
        "part has given no sign of life for 2 s; it is ended.",
        "part was killed by SIGKILL; it starts again.",
    ]


async def test_process_that_beats_is_left_alone(supervise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "WATCHDOG_SECS", 2)
    supervised = supervise(
        NOTED + "notices.tell('READY=1')\nfor _ in range(50):\n    notices.tell('WATCHDOG=1')\n    time.sleep(0.1)\n"
        "print('well')\ntime.sleep(600)",
        folder=str(ROOT), gives_notice=True,
    )  # fmt: skip

    await supervised.until(1)

    assert (supervised.log(), supervised.said) == (["well"], [])


async def test_notice_of_another_process_is_not_believed(supervise) -> None:
    supervised = supervise(NOTED + "print(notices._address, flush=True)\ntime.sleep(600)", folder=str(ROOT), gives_notice=True)
    (address,) = await supervised.until(1)

    Notices(address).tell("READY=1")
    await asyncio.sleep(0)  # the loop looks at the socket
    await asyncio.sleep(0.05)

    assert not supervised.child._process.is_ready.is_set()


async def no_longer_alive(pid: int) -> None:
    async with asyncio.timeout(SECS):
        while is_alive(pid):  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.01)
