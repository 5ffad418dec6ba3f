"""What Salon wants to reach, figure by figure, and the best that we know of anybody else."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """A row of the table. `than` says which side of `bound` is good; `beside`: the best peer, or what the machine allows."""

    figure: str
    what: str
    than: Literal["<", "<=", ">="]
    bound: float
    unit: str
    beside: str
    command: str

    def met(self, value: float) -> bool:
        match self.than:
            case "<":
                return value < self.bound
            case "<=":
                return value <= self.bound
            case ">=":
                return value >= self.bound


_BENCH, _PEERS, _BYPASS, _EAR, _SILENCE, _FRONT = (
    f"make bench{kind}" for kind in ("", "-peers", "-bypass", "-mouth-to-ear", "-silencing", "-crowd")
)

ENGINE = (
    Goal("media.limit_ratio", "the kernel's price of a packet ÷ ours, 1,000 listeners", ">=", 0.8, "", "the limit itself: 1", _BENCH),
    Goal("media.ratio_to_mediasoup", "mediasoup's price of a packet ÷ ours", ">=", 2, "", "1", _PEERS),
    Goal("media.ratio_to_livekit", "LiveKit's ÷ ours", ">=", 4, "", "1", _PEERS),
    Goal("media.ratio_to_janus", "Janus's, as Debian ships it, ÷ ours", ">=", 4, "", "1", _PEERS),
    Goal("media.ratio_to_mumble", "Mumble's ÷ ours", ">=", 1.2, "", "1", _PEERS),
    Goal(
        "media.listeners_per_core",
        "listeners of a large room that fill one core, by sockets",
        ">=",
        7500,
        "",
        "LiveKit, published: about 230",
        _BENCH,
    ),
    Goal("media.listeners_per_core_bypass", "the same, around the kernel's UDP", ">=", 20_000, "", "none", _BYPASS),
    Goal("media.cost_growth", "a packet's price at 5,000 listeners ÷ at 100", "<=", 1.15, "", "mediasoup 0.9, Mumble 1.3", _BENCH),
    Goal("media.cost_growth_many_rooms", "a packet's price in 200 rooms of 5 ÷ in one of 1,000", "<=", 1.15, "", "", _BENCH),
    Goal(
        "media.forward_delay_ms_p99",
        "delay through the server, 5,000 listeners, p99",
        "<",
        10,
        "ms",
        "LiveKit, 2022: 52 ms with 1,000",
        _BENCH,
    ),
    Goal(
        "media.added_loss_percent", "packets lost in the server, 5,000 listeners", "<", 0.05, "%", "LiveKit, 2022: 1.5 % with 1,000", _BENCH
    ),
    Goal("media.join_audio_ms_p95", "from wanting to join to the first sound, alone, p95", "<", 300, "ms", "", _BENCH),
    Goal("media.storm_audio_ms_p95", "the same, 5,000 in 30 s, p95", "<", 3000, "ms", "LiveKit's tester stops at 10 a second", _BENCH),
    Goal("media.storm_refused", "refused of these", "<=", 0, "", "", _BENCH),
    Goal("media.memory_per_listener_kib", "memory for each listener", "<=", 64, "KiB", "Janus 192–250", _BENCH),
    Goal("media.mouth_to_ear_ms_p50", "from mouth to ear between two browsers, p50", "<", 120, "ms", "", _EAR),
    Goal(
        "access.silenced_heard_ms_p99",
        "from muting or removing somebody to their last packet, p99",
        "<=",
        250,
        "ms",
        "LiveKit: a token outlives removal",
        _SILENCE,
    ),
)

APPLICATION = (
    Goal("app.front_storm_failed", "joins through the front door, 500 in 30 s, that came to nothing", "<=", 0, "", "", _FRONT),
    Goal("app.front_storm_audio_ms_p95", "the same: from wanting to join to the first sound, p95", "<", 3000, "ms", "", _FRONT),
    Goal("app.joins_per_core", "joins a second that fill one core, all processes of the server", ">=", 60, "joins/s", "", _FRONT),
    Goal("app.join_cost_growth", "cost of the last joins ÷ of the first", "<=", 1.15, "", "", _FRONT),
    Goal(
        "app.mixed_requests_per_core",
        "mixed requests of the API, p95 within 150 ms",
        ">=",
        150,
        "requests/s",
        "Clubhouse, published: about 17 an instance",
        _BENCH,
    ),
    Goal("app.event_fanout_1000_ms", "one event to 1,000 sockets", "<", 100, "ms", "", _BENCH),
    Goal("app.cold_start_s", "first start, once built", "<", 20, "s", "", _BENCH),
    Goal("app.warm_start_s", "every other start", "<", 5, "s", "", _BENCH),
)
