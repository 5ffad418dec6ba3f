"""The programs that `salon serve` starts, watches, starts again, hands over and stops."""

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Any

from salon.cli.output import Output
from salon.cli.process import Process, Program

__all__ = ["Child", "HandOverFailed", "Program"]

# A process that ran this long was healthy: its next failure begins the pauses anew, and the first one has none.
_HEALTHY_SECS = 10.0
_KILLED_SECS = 1.0
_PAUSES_SECS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
WATCHDOG_SECS = 5
"""A program that gives notice and has been silent for so long is stuck."""
_LEAVE_SECS = 3.0
LEAVE_SIGNAL = signal.SIGUSR2
"""Asks a process to make way for its successor, with nothing said to its peers."""


class HandOverFailed(Exception):
    """args[0]: one sentence. is_running: whether the process from before goes on as if nothing had been tried."""

    def __init__(self, sentence: str, *, is_running: bool) -> None:
        super().__init__(sentence)
        self.is_running = is_running


class Child:
    """Keeps one program running, in a process group of its own, until `stop`."""

    def __init__(self, program: Program, output: Output, say: Callable[[str], None]) -> None:
        self.program = program
        self.failures = 0
        """In a row, with no healthy run between them."""
        self.output = output
        self._say = say
        self._process: Process | None = None
        self._successor: Process | None = None
        self._makes_way = False
        """The process was asked to, for its successor."""
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._process = Process(self.program, self.output)
        self._tasks.append(asyncio.create_task(self._keep_running(self._process), name=f"keep {self.name}"))
        if self.program.gives_notice:
            self._tasks.append(asyncio.create_task(self._watch(), name=f"watch {self.name}"))

    async def stop(self, within_secs: float) -> None:
        """Ask it to end; after `within_secs` insist. Whatever it has started ends with it."""
        self._stopping = self.output.is_quiet = True
        if self._process is not None and not self._process.ended.done():
            self._process.send_signal(self.program.stop_signal)
            await self._process.ends_within(within_secs)
        self.kill()
        if self._process is not None:  # at once, but not in no time
            await self._process.ends_within(_KILLED_SECS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def kill(self) -> None:
        """The whole group, at once."""
        self._stopping = True
        for process in (self._process, self._successor):
            if process is not None:
                process.kill_group()

    async def hand_over(self, within_secs: float) -> float:
        """Replace the process by a new one of the same program, which begins where the old one stops; the seconds between.

        The old one is asked to make way only when the new one stands by. Raises HandOverFailed.
        """
        before = self._process
        if before is None or self._successor is not None or self._stopping:
            raise HandOverFailed(f"{self.name} is being replaced or stopped already.", is_running=True)
        # From now on: should the old one end by itself meanwhile, this one is the next, and no other is started that would wait for it.
        successor = self._successor = Process(self.program, self.output)
        await _until(successor.stands_by, successor, within_secs)
        if not successor.stands_by.is_set() or successor.ended.done():
            if self._successor is successor:
                self._successor = None
                successor.kill_group()
            why = "ended at its start" if successor.ended.done() else f"was not ready within {within_secs:g} s"
            is_running = not before.ended.done()
            goes_on = "The old one goes on." if is_running else "The old one has ended, too; it starts again."
            raise HandOverFailed(f"{self.name}: the new process {why}. {goes_on}", is_running=is_running)
        left_at = time.monotonic()
        self._makes_way = self._successor is successor
        before.send_signal(LEAVE_SIGNAL)
        if not await before.ends_within(_LEAVE_SECS):
            before.kill_group()
            await before.ended  # its successor may say that it is ready before we are told of its end
        await _until(successor.is_ready, successor, within_secs)
        if not successor.is_ready.is_set():
            raise HandOverFailed(f"{self.name}: the new process took over, and is not ready after {within_secs:g} s.", is_running=False)
        return time.monotonic() - left_at

    async def _keep_running(self, process: Process) -> None:
        while True:
            code = await process.ended
            # Workers that outlive their parent would keep its port.
            process.kill_group()
            if self._stopping:
                return
            if self._successor is not None:
                if not self._makes_way:
                    self._say(f"{self.name} {_ending(code)}; its successor goes on.")
                process, self._successor, self._makes_way = self._successor, None, False
            else:
                was_healthy = time.monotonic() - process.started_at > _HEALTHY_SECS
                self.failures = 1 if was_healthy else self.failures + 1
                self._say(f"{self.name} {_ending(code)}; it starts again.")
                self.output.show_last()
                await asyncio.sleep(_PAUSES_SECS[min(self.failures, len(_PAUSES_SECS)) - 1])
                process = Process(self.program, self.output)
            self._process = process

    async def _watch(self) -> None:
        """Kill the process when it is stuck. Time is counted in turns of this loop: when we were stuck ourselves, it is not to blame."""
        watched, beats, silent = self._process, 0, 0
        while True:
            await asyncio.sleep(1)
            process = self._process
            if process is None or process is not watched or process.beats != beats or not process.is_ready.is_set():
                watched, beats, silent = process, process.beats if process else 0, 0
                continue
            silent += 1
            if silent >= WATCHDOG_SECS and not process.ended.done() and not self._stopping:
                self._say(f"{self.name} has given no sign of life for {WATCHDOG_SECS} s; it is ended.")
                process.kill_group()
                silent = 0


async def _until(is_so: asyncio.Event, process: Process, within_secs: float) -> None:
    """Until it is so, the process has ended, or the time is up."""
    waiting = asyncio.create_task(is_so.wait())
    either: set[asyncio.Future[Any]] = {waiting, process.ended}
    await asyncio.wait(either, timeout=within_secs, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


def _ending(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
