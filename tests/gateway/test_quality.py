"""Reports of sound quality: bounded, limited for each who reports, and on the bus with the reporter's own id."""

from typing import Any

import pytest

from salon.common.ids import new_id
from salon.common.sound_quality import SUBJECT
from salon.gateway import quality
from salon.gateway.quality import TOGETHER, QualityReports
from tests.fakes.bus import FakeBus
from tests.gateway.conftest import Connect, Running

SESSION = new_id()
MEASURES = {
    "period_secs": 60, "packets": 3000, "lost_share": 0.012, "jitter_ms": 14, "concealed_share": 0.003, "delay_ms": 92,
    "round_trip_ms": 41, "transport": "udp",
}  # fmt: skip
UNKNOWN = dict.fromkeys(("lost_share", "jitter_ms", "concealed_share", "delay_ms", "round_trip_ms", "transport"))


def report(owner: str, session: str = SESSION) -> Any:
    return {"session": session, "owner": owner, **MEASURES}


def reported(bus: FakeBus) -> list[Any]:
    return [report for subject, message in bus.published if subject == SUBJECT for report in message["reports"]]  # type: ignore[attr-defined]


async def test_reports_go_on_together_under_the_ids_of_who_reports(gateway: Running, connect: Connect) -> None:
    zoe, somebody = new_id(), new_id()
    person, visitor = await connect(zoe), await connect(visitor=somebody)

    assert (await person.ask(type="quality", session=SESSION, **MEASURES))["type"] == "done"
    assert (await visitor.ask(type="quality", session=SESSION, **MEASURES | UNKNOWN))["type"] == "done"
    await gateway.door.gateway.quality.send_on()

    assert reported(gateway.bus) == [report(zoe), report(somebody) | UNKNOWN]
    assert len([1 for subject, _ in gateway.bus.published if subject == SUBJECT]) == 1


async def test_owner_cannot_be_claimed(gateway: Running, connect: Connect) -> None:
    zoe = new_id()
    await (await connect(zoe)).ask(type="quality", session=SESSION, owner=new_id(), **MEASURES)
    await gateway.door.gateway.quality.send_on()
    assert [said["owner"] for said in reported(gateway.bus)] == [zoe]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("session", ["", "X" * 26, SESSION + "a", 7, None, "../" + SESSION[3:], ["a"]]),
        ("period_secs", [0, -1, 601, "60", None, True, 1e300]),
        ("packets", [-1, 720_001, "many", None, 1e18]),
        ("lost_share", [-0.001, 1.001, "0", True, [], {}]),
        ("jitter_ms", [-1, 60_001, "1"]),
        ("concealed_share", [-1, 2, False]),
        ("delay_ms", [-1, 60_001, {}]),
        ("round_trip_ms", [-1, 60_001, []]),
        ("transport", ["", "sctp", "UDP", 1, "u" * 300]),
    ],
)
async def test_what_lies_beyond_the_bounds_is_refused_by_its_field(
    gateway: Running, connect: Connect, field: str, values: list[Any]
) -> None:
    peer = await connect(new_id())
    for value in values:
        answer = await peer.ask(type="quality", **{"session": SESSION, **MEASURES, field: value})
        assert (answer["type"], answer["code"], answer["field"]) == ("error", "invalid", field), value
    await gateway.door.gateway.quality.send_on()
    assert reported(gateway.bus) == []


async def test_who_reports_too_often_is_refused_and_stays_connected(gateway: Running, connect: Connect, monkeypatch) -> None:
    monkeypatch.setattr("salon.gateway.messages.quality.time.monotonic", lambda: 1000.0)
    zoe = new_id()
    peer, second = await connect(zoe), await connect(zoe)
    answers = [await (peer, second)[number % 2].ask(type="quality", session=SESSION, **MEASURES) for number in range(9)]
    assert [answer["type"] for answer in answers] == ["done"] * 8 + ["error"]
    assert answers[-1]["code"] == "too_many_requests"
    assert (await peer.ask(type="ping"))["type"] == "pong"
    assert (await (await connect(new_id())).ask(type="quality", session=SESSION, **MEASURES))["type"] == "done"


async def test_limit_lets_a_listener_and_speaker_report_every_minute() -> None:
    board = QualityReports(FakeBus())
    assert all(board.hear(report("ann"), now=minute * 60.0) for minute in range(100) for _ in ("listen", "speak"))


async def test_messages_stay_below_what_a_notification_holds() -> None:
    bus = FakeBus()
    board = QualityReports(bus)
    for _ in range(TOGETHER + 1):
        board.hear(report(new_id(), new_id()) | {"lost_share": 0.1234, "concealed_share": 0.1234, "packets": 720_000}, now=0.0)
    await board.send_on()
    await board.send_on()
    from salon.bus.interface import encoded
    from salon.bus.notification import inline_payload

    assert [len(message["reports"]) for _, message in bus.published] == [TOGETHER, 1]  # type: ignore[arg-type]
    assert inline_payload(SUBJECT, encoded(bus.published[0][1])) is not None


async def test_bus_that_is_away_costs_the_reports_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = FakeBus()
    board = QualityReports(bus)
    monkeypatch.setattr(quality, "MOST_WAITING", 2)
    for _ in range(3):
        assert board.hear(report(new_id()), now=0.0)
    bus.disconnect()
    await board.send_on()
    bus.reconnect()
    board.hear(report("ann"), now=0.0)
    await board.send_on()
    assert [said["owner"] for said in reported(bus)] == ["ann"]


async def test_memory_of_who_reported_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "_BUCKETS", 2)
    board = QualityReports(FakeBus())
    for owner in ("ann", "bob", "ann", "cid"):
        board.hear(report(owner), now=0.0)
    assert list(board._buckets) == ["ann", "cid"]
