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


_BENCH, _PEERS, _BYPASS, _EAR, _SILENCE, _FRONT, _FAULTS, _HOSTILE, _LOSS, _PATHS = (
    f"make bench{kind}"
    for kind in ("", "-peers", "-bypass", "-mouth-to-ear", "-silencing", "-crowd", "-faults", "-hostile", "-loss", "-paths")
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
    Goal(
        "media.listeners_per_core_bypass",
        "the same, around the kernel's UDP, over a veth whose arrivals another core handles, as another machine would",
        ">=",
        20_000,
        "",
        "none",
        _BYPASS,
    ),
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
)

ROBUSTNESS = (
    Goal(
        "access.silenced_heard_ms_p99",
        "from muting or removing somebody to their last packet, p99",
        "<=",
        250,
        "ms",
        "LiveKit: a token outlives removal",
        _SILENCE,
    ),
    Goal("access.removed_admitted", "ways back in for who was removed or blocked", "<=", 0, "", "", _SILENCE),
    Goal(
        "faults.media_kill_gap_ms_p50",
        "media killed under 1,000 listeners: silence, p50",
        "<=",
        1000,
        "ms",
        "others: everybody rejoins",
        _FAULTS,
    ),
    Goal("faults.media_kill_gap_ms_p95", "the same, p95", "<=", 3000, "ms", "", _FAULTS),
    Goal("faults.media_kill_gap_ms_max", "the same, the longest", "<=", 5000, "ms", "", _FAULTS),
    Goal("faults.media_kill_sessions_lost", "sessions lost by it", "<=", 0, "", "", _FAULTS),
    Goal("faults.media_kill_changed", "roles, mutes and locks changed by it", "<=", 0, "", "", _FAULTS),
    Goal("faults.media_kill_removed_came_back", "removed people it brought back", "<=", 0, "", "", _FAULTS),
    Goal("faults.media_upgrade_gap_ms_p99", "a planned upgrade: silence, p99", "<=", 1000, "ms", "LiveKit waits for all to leave", _FAULTS),
    Goal("faults.media_upgrade_sessions_lost", "sessions lost by it", "<=", 0, "", "", _FAULTS),
    Goal("faults.media_upgrade_secs", "how long it takes", "<=", 120, "s", "", _FAULTS),
    Goal("faults.aborted_upgrade_gap_ms_max", "an upgrade that is given up: longest silence", "<=", 500, "ms", "", _FAULTS),
    Goal("faults.aborted_upgrade_sessions_lost", "sessions lost by it", "<=", 0, "", "", _FAULTS),
    Goal("faults.vanished_listed_ms_p99", "listed after vanishing, p99", "<=", 8000, "ms", "LiveKit 20 s", _FAULTS),
    Goal("faults.vanished_listed_ms_max", "the same, the longest", "<=", 15_000, "ms", "", _FAULTS),
    Goal("faults.receiver_not_listed_ms_max", "hearing without being listed, the longest", "<=", 2000, "ms", "", _FAULTS),
    Goal("faults.listed_deaf_ms_max", "listed without hearing, the longest", "<=", 5000, "ms", "", _FAULTS),
    Goal("media.pesq_listener_loss_5", "speech with 5 % lost on the way down, PESQ", ">=", 4.2, "", "concealment alone 2.6", _LOSS),
    Goal("media.pesq_listener_loss_10", "10 %", ">=", 3.9, "", "concealment alone 1.8", _LOSS),
    Goal("media.pesq_listener_loss_20", "20 %", ">=", 3.5, "", "concealment alone 1.3", _LOSS),
    Goal("media.pesq_listener_bursts_10", "10 %, in bursts of three", ">=", 3.2, "", "", _LOSS),
    Goal("media.pesq_both_loss_20", "20 % on both ways", ">=", 3.0, "", "", _LOSS),
    Goal("media.stoi_listener_loss_20", "20 % on the way down, STOI", ">=", 0.98, "", "", _LOSS),
    Goal("media.stoi_both_loss_20", "20 % on both ways, STOI", ">=", 0.97, "", "", _LOSS),
    Goal("media.jitter_gap_ms_max", "up to 80 ms of jitter on both ways, 2 % duplicates: the longest gap", "<=", 400, "ms", "", _LOSS),
    Goal("media.repair_added_delay", "delay that repair takes", "<=", 120, "ms", "", _LOSS),
    Goal(
        "media.address_change_gap_ms_max", "a listener's machine takes another address: silence, the longest", "<=", 2000, "ms", "", _PATHS
    ),
    Goal("media.router_change_gap_ms_max", "their router does, and nothing tells the browser", "<=", 2000, "ms", "", _PATHS),
    Goal("media.silent_path_gap_ms_max", "their path dies without a word", "<=", 2000, "ms", "a browser notices after 5 s", _PATHS),
    Goal("media.udp_blocked_audio_ms_max", "UDP dropped: from opening the room's page to the first sound", "<=", 5000, "ms", "", _PATHS),
    Goal("media.only_443_audio_ms_max", "the same where only TCP port 443 is let out", "<=", 5000, "ms", "", _PATHS),
    Goal(
        "hostile.outside_others_lost", "10,000 forged packets a second from strangers: packets that others lost", "<=", 0, "", "", _HOSTILE
    ),
    Goal("hostile.outside_cpu_added_cores", "the same: processor time", "<=", 0.1, "cores", "", _HOSTILE),
    Goal("hostile.inside_others_lost", "the same from a speaker's own socket: packets that others lost", "<=", 0, "", "", _HOSTILE),
    Goal("hostile.inside_cpu_added_cores", "the same: processor time", "<=", 0.1, "cores", "", _HOSTILE),
    Goal("hostile.streams_others_lost", "65,536 invented streams: packets that others lost", "<=", 0, "", "", _HOSTILE),
    Goal("hostile.streams_cpu_added_cores", "the same: processor time", "<=", 0.1, "cores", "", _HOSTILE),
    Goal("hostile.flood_forwarded_over_nominal", "what a speaker's flood gets through, ÷ speech", "<=", 2, "", "", _HOSTILE),
    Goal(
        "hostile.race_joins_failed", "of 1,000 joins, those that failed under 1,000 forged handshakes a second", "<=", 0, "", "", _HOSTILE
    ),
    Goal("hostile.race_dtls_answers", "answers to these", "<=", 0, "", "Asterisk, FreeSWITCH: calls failed", _HOSTILE),
    Goal("hostile.outsiders_answers", "answers to packets of strangers", "<=", 0, "", "", _HOSTILE),
    Goal("hostile.stun_amplification", "bytes out ÷ bytes in, STUN from strangers", "<=", 1, "", "2.32 published", _HOSTILE),
    Goal("hostile.dtls_amplification", "the same, DTLS", "<=", 1, "", "", _HOSTILE),
    Goal("hostile.impostors_not_ended", "sessions that went on with another certificate than announced", "<=", 0, "", "", _HOSTILE),
    Goal("hostile.front_others_gap_ms", "the longest silence of 20 listeners during all that follows", "<=", 200, "ms", "", _HOSTILE),
    Goal("hostile.front_others_lost", "packets that they lost", "<=", 0, "", "", _HOSTILE),
    Goal("hostile.sdp_10mb_cpu_ms", "processor time of refusing 10 MB of SDP", "<=", 50, "ms", "", _HOSTILE),
    Goal("hostile.frame_64mb_cpu_ms", "of refusing a frame of 64 MB", "<=", 50, "ms", "", _HOSTILE),
    Goal("hostile.json_depth_100k_cpu_ms", "of refusing JSON of depth 100,000", "<=", 50, "ms", "", _HOSTILE),
    Goal("hostile.json_1m_keys_cpu_ms", "of refusing JSON with 1,000,000 keys", "<=", 50, "ms", "", _HOSTILE),
    Goal("hostile.json_full_body_cpu_ms", "of refusing the longest body that is read, full of keys", "<=", 50, "ms", "", _HOSTILE),
    Goal("hostile.half_open_of_a_person", "unfinished sessions of a person, of 1,000 that were asked for", "<=", 5, "", "", _HOSTILE),
    Goal("hostile.half_open_reaped_secs", "until all of them were given up", "<=", 15, "s", "", _HOSTILE),
    Goal(
        "hostile.compressed_1_to_1000_memory_mb",
        "memory after a body that unpacks to a thousand times its size",
        "<=",
        20,
        "MB",
        "",
        _HOSTILE,
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
