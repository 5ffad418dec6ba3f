"""The media process around its engine: what ends it."""

import signal
import threading

import pytest

from salon.relay import run
from salon.relay.run import EventPolling
from tests.fakes import engine as fake_engine


class Relayed:
    def note(self, event: object) -> None: ...


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(run.os, "kill", lambda process, number: signals.append((process, number)))
    monkeypatch.setattr(run.os, "getpid", lambda: 4711)
    return signals


async def test_engine_that_dies_ends_the_process(killed: list[tuple[int, int]], caplog: pytest.LogCaptureFixture) -> None:
    engine = fake_engine.Engine()
    polling = EventPolling(engine, Relayed())  # type: ignore[arg-type]
    engine.close()
    polling.join()
    assert killed == [(4711, signal.SIGTERM)]
    assert [record.action for record in caplog.records] == ["engine_silent"]  # type: ignore[attr-defined]


async def test_engine_closed_by_the_process_itself_ends_nothing(killed: list[tuple[int, int]], caplog: pytest.LogCaptureFixture) -> None:
    engine = fake_engine.Engine()
    polling = EventPolling(engine, Relayed())  # type: ignore[arg-type]
    polling.stop()
    engine.close()
    polling.join()
    assert (killed, caplog.records) == ([], [])
    assert "engine-events" not in {thread.name for thread in threading.enumerate()}
