import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from bench.peers import run as runner
from bench.peers.audience import Audience
from bench.peers.comparison import Contender, Window, figures, read_window, spent_secs, table
from bench.peers.janus import Janus, JanusEventLoop
from bench.peers.livekit import LiveKit, LiveKitBatched
from bench.peers.server import OtherServer, Server, first_line, is_listening
from bench.programs import FOLDER, BenchFailed

LINE = {
    "kind": "window",
    "seconds": 4.0,
    "said": 200,
    "listeners": 300,
    "heard": 300,
    "packets": 60_000,
    "fewest": 199,
    "bytes": 7_500_000,
    "lost": 0,
    "undecryptable": 0,
    "unmarked": 0,
    "delay_p50_ms": 1.0,
    "delay_p99_ms": 4.0,
    "client_cpu_secs": 1.2,
}


def window(*, cpu: float = 0.6, everything: float = 0.9, **changed: object) -> Window:
    return read_window({**LINE, **changed}, cpu, everything, expected=300)


def contender(name: str, *cpu: float) -> Contender:
    return Contender(name, name.title(), "1.0", "GCM", [window(cpu=secs) for secs in cpu])


def test_cost_is_the_servers_time_over_packets_that_were_decrypted() -> None:
    assert window().us_per_packet == pytest.approx(10)
    assert window().everything_us_per_packet == pytest.approx(15)
    assert window(packets=59_700).us_per_packet == pytest.approx(600_000 / 59_700)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"heard": 299}, "299 of 300 listeners heard"),
        ({"listeners": 301}, "301 were connected"),
        ({"lost": 607}, "607 frames were lost"),
        ({"unmarked": 601}, "601 of 60000 packets cannot be told apart"),
        ({"fewest": 179}, "one listener received 179"),
    ],
)
def test_window_in_which_not_all_was_heard_is_refused(changed: dict[str, int], reason: str) -> None:
    with pytest.raises(BenchFailed, match=reason):
        window(**changed)


def test_time_that_cannot_have_sent_the_packets_is_refused() -> None:
    with pytest.raises(BenchFailed, match="another process sent them"):
        window(cpu=0.017)
    assert window(cpu=0.019).packets == 60_000


@pytest.mark.parametrize("lost", [606, 0, -5])
def test_one_lost_packet_in_a_hundred_passes(lost: int) -> None:
    assert window(lost=lost).packets == 60_000


def test_time_is_spent_by_process() -> None:
    assert spent_secs({1: 2.0, 2: 5.0}, {1: 2.5, 2: 5.25}) == pytest.approx(0.75)
    assert spent_secs({1: 2.0}, {1: 2.0, 7: 0.1}) == pytest.approx(0.1), "one that began in between counts from its beginning"
    assert spent_secs({1: 2.0, 2: 5.0}, {1: 2.5}) == pytest.approx(0.5), "one that ended must not count backwards"


def test_ratios_compare_what_stood_side_by_side() -> None:
    lines = [json.loads(figure.line()) for figure in figures([contender("salon", 0.6, 1.2, 0.6), contender("mumble", 1.2, 1.8, 0.9)])]
    by_name = {line["figure"]: line for line in lines}
    assert list(by_name) == [
        "media.salon_us_per_packet",
        "media.mumble_us_per_packet",
        "media.salon_everything_us_per_packet",
        "media.ratio_to_mumble",
    ]
    assert by_name["media.salon_us_per_packet"]["value"] == 10
    assert by_name["media.salon_everything_us_per_packet"]["value"] == 15
    ratio = by_name["media.ratio_to_mumble"]
    # Round by round 2, 1.5 and 1.5; the medians over one another would be 2.
    assert (ratio["value"], ratio["min"], ratio["max"], ratio["runs"], ratio["better"]) == (1.5, 1.5, 2, 3, "higher")


def test_without_ours_there_are_no_ratios() -> None:
    assert [figure.name for figure in figures([contender("mumble", 1.2)])] == ["media.mumble_us_per_packet"]


def test_table_has_a_row_each_with_the_cheapest_first() -> None:
    rows = table([contender("mumble", 1.2, 1.8), contender("salon", 0.6, 0.6)], 300).splitlines()
    assert [row.split()[0] for row in rows] == ["server", "Salon", "Mumble"]
    assert re.split(r"\s{2,}", rows[2]) == ["Mumble", "1.0", "GCM", "25", "20-30", "2.50", "50.0", "125", "4.0 ms", "0.30"]


class Program(OtherServer):
    """A server of one line, or whatever the test writes."""

    name = "program"
    protocol = "janus"
    title = "Program"

    def __init__(self, line: str, port: int) -> None:
        super().__init__()
        self._line, self._port = line, port

    def command(self) -> list[str]:
        return ["sh", "-c", self._line]

    def port(self) -> int:
        return self._port

    def version(self) -> str:
        return "1"

    def client_options(self) -> dict[str, str]:
        return {}


def test_server_that_ends_while_it_starts_says_why_and_leaves_no_folder(unused_tcp_port: int) -> None:
    program = Program("echo 'no such codec' >&2; exit 3", unused_tcp_port)
    with pytest.raises(BenchFailed, match="Program ended by itself:\nno such codec"), program:
        pass
    assert not program.folder.exists()


def test_server_is_stopped_with_all_its_block(unused_tcp_port: int) -> None:
    listen = f"exec python3 -m http.server --bind 127.0.0.1 {unused_tcp_port}"
    with Program(listen, unused_tcp_port) as program:
        assert is_listening(unused_tcp_port)
        assert list(program.cpu_secs()) == program.pids()
    assert not is_listening(unused_tcp_port)
    assert not program.folder.exists()


def test_version_is_the_line_that_tells_it() -> None:
    assert first_line(["printf", "warning\\nJanus version: 1102 (1.1.2)\\n"], "Janus version") == "Janus version: 1102 (1.1.2)"
    with pytest.raises(BenchFailed, match="does not tell its version"):
        first_line(["printf", "nothing"], "Janus version")


def test_ratios_by_the_plain_name_are_to_the_configurations_that_others_ship() -> None:
    assert {Janus.name: Janus.media, LiveKit.name: LiveKit.rtc} == {"janus": "", "livekit": ""}
    assert JanusEventLoop.media == "event_loops = 1"
    assert "batch_size: 128" in LiveKitBatched.rtc


class Stub(Server):
    """Up at once; what its audience does is the test's business."""

    protocol = "stub"

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name  # type: ignore[misc]
        self.title = name  # type: ignore[misc]
        self._log = log

    def __enter__(self) -> Self:
        self._log.append(f"{self.name} up")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._log.append(f"{self.name} down")

    def version(self) -> str:
        return "1"

    def pids(self) -> list[int]:
        return []

    def client_options(self) -> dict[str, str]:
        return {}


@pytest.fixture
def stub_audiences(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    log: list[str] = []
    turns: dict[str, int] = {}

    def enter(self: Audience) -> Audience:
        if self.server.name == "shy":
            raise BenchFailed("nobody came")
        return self

    def window(self: Audience, _secs: float) -> Window:
        name = self.server.name
        turns[name] = turns.get(name, 0) + 1
        log.append(f"{name} {turns[name]}")
        if (name == "frail" and turns[name] > 1) or (name == "hasty" and turns[name] == 1):
            raise BenchFailed("it fell over")
        return read_window(LINE, 0.6, 0.6, expected=300)

    monkeypatch.setattr(Audience, "__enter__", enter)
    monkeypatch.setattr(Audience, "__exit__", lambda *_: None)
    monkeypatch.setattr(Audience, "window", window)
    return log


def test_servers_take_turns_and_one_that_fails_is_left_out_with_its_reason(stub_audiences: list[str]) -> None:
    log = stub_audiences
    servers = {name: lambda name=name: Stub(name, log) for name in ("salon", "shy", "frail", "sound")}
    contenders, missing = runner.compare(servers, 300, 3, 4.0)
    assert [(each.name, len(each.windows)) for each in contenders] == [("salon", 3), ("sound", 3)]
    assert missing == {"shy": "nobody came", "frail": "it fell over"}
    measured = [entry for entry in log if entry[-1].isdigit()]
    tries = ["frail 2", "frail 3", "frail 4"]
    assert measured == ["salon 1", "frail 1", "sound 1", "salon 2", *tries, "sound 2", "salon 3", "sound 3"]
    assert log.index("shy down") < log.index("frail up"), "what could not be measured must not go on running beside the others"
    assert sorted(entry for entry in log if entry.endswith("down")) == ["frail down", "salon down", "shy down", "sound down"]


def test_window_that_the_machine_spoilt_is_taken_again(stub_audiences: list[str]) -> None:
    contenders, missing = runner.compare({"hasty": lambda: Stub("hasty", stub_audiences)}, 300, 2, 4.0)
    assert ([len(each.windows) for each in contenders], missing) == ([2], {})
    assert stub_audiences == ["hasty up", "hasty 1", "hasty 2", "hasty 3", "hasty down"]


def test_pins_name_one_version_each() -> None:
    pinned = FOLDER / "peers" / "pinned"
    package = json.loads((pinned / "mediasoup" / "package.json").read_text())
    lock = json.loads((pinned / "mediasoup" / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/mediasoup"]["version"] == package["dependencies"]["mediasoup"]
    module = re.search(r"github\.com/livekit/livekit-server (v\S+)", Path(pinned / "livekit" / "go.mod").read_text())
    assert module is not None
    assert f"github.com/livekit/livekit-server {module[1]} h1:" in (pinned / "livekit" / "go.sum").read_text()
