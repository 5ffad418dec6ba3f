"""The media process around its engine: what ends it."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from salon.relay import run
from salon.relay.run import EventPolling
from tests.fakes import engine as fake_engine


class Relayed:
    def note(self, event: object) -> None: ...


def test_end_process_asks_this_process_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(run.os, "kill", lambda process, number: signals.append((process, number)))
    run.end_process()
    assert signals == [(os.getpid(), signal.SIGTERM)]


async def test_engine_that_dies_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    engine, told = fake_engine.Engine(), []
    polling = EventPolling(engine, Relayed(), when_silent=lambda: told.append("silent"))  # type: ignore[arg-type]
    engine.close()
    polling.join()
    assert told == ["silent"]
    assert [record.action for record in caplog.records] == ["engine_silent"]  # type: ignore[attr-defined]


async def test_engine_closed_by_the_process_itself_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    engine, told = fake_engine.Engine(), []
    polling = EventPolling(engine, Relayed(), when_silent=lambda: told.append("silent"))  # type: ignore[arg-type]
    polling.stop()
    engine.close()
    polling.join()
    assert (told, caplog.records) == ([], [])
    assert "engine-events" not in {thread.name for thread in threading.enumerate()}


def test_what_sound_waits_for_loads_no_server() -> None:
    """After a kill nobody hears anything until this module is loaded; an HTTP server and its client take longer than all else together."""
    script = "import sys, salon.relay.run; print(*sorted({'aiohttp', 'django'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout == "\n"
