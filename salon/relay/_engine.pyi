"""The media engine, as Python sees it: `media/python` built as one extension module.

Thin on purpose: it converts values and errors and decides nothing. All calls return within a millisecond or so
(SDP and key work included) and release the GIL around work; packets never pass through Python.
Text with half surrogates, which UTF-8 cannot write, raises UnicodeEncodeError anywhere; web and gateway let none in.
Errors from outside input are `OfferRefused`; a bug in a session ends that session only, and shows as a
`SessionClosed` event with reason "internal".
"""

from collections.abc import Sequence
from typing import Literal, final

Direction = Literal["listen", "speak"]

class EngineError(Exception):
    """The engine could not start (the port is taken, an option makes no sense) or is stopped. args[0] is a sentence."""

class OfferRefused(Exception):
    """The peer's SDP cannot be used. `args[0]` is a sentence that names what is wrong; safe to show."""

class SessionUnknown(Exception):
    """No such session: it ended, or never was."""

@final
class Speaker:
    """Someone on the stage, as policy says. csrc: how their packets are named to listeners, 1..2**32-1, unique in the room."""

    def __init__(self, person: str, csrc: int, muted: bool) -> None: ...
    person: str
    csrc: int
    muted: bool

@final
class SessionOpened:
    session: str
    answer: str  # SDP
    etag: str

@final
class SessionRestored:
    """A session that another process began, connected. tag: what was said when it was opened."""

    session: str
    room: str
    person: str
    direction: Direction
    tag: bytes

@final
class SessionConnected:
    """ICE and DTLS are done and the peer's certificate matched its fingerprint: sound can flow."""

    session: str
    room: str
    person: str
    direction: Direction

@final
class SessionClosed:
    session: str
    room: str
    person: str
    direction: Direction
    reason: str  # "deleted" | "taken_over" | "removed" | "left_stage" | "room_ended" | "timed_out" | "peer_closed" | "internal"

Event = SessionConnected | SessionClosed

@final
class SessionTruth:
    """What one session really does now; times are seconds before now, None for never."""

    session: str
    room: str
    person: str
    direction: Direction
    connected: bool
    may_be_heard: bool  # speak sessions: on the stage and not muted
    last_in_secs: float | None
    last_out_secs: float | None
    packets_in: int
    packets_out: int
    packets_dropped: int  # refused at ingress: muted, not on the stage, bad authentication, replayed
    transport: Literal["udp", "tcp"] | None  # of the selected path
    lost_share: float | None  # listen sessions: the loss that the redundancy is chosen by, 0..1
    round_trip_secs: float | None  # a listener's by its last report, a speaker's by the last packet that was lost and sent again

@final
class RoomTalk:
    """What was said in one room since it was last taken; docs/algorithms/speaker.md, "Talk time"."""

    room: str
    talked_ms: dict[
        str, int
    ]  # by person: voice in packets that were accepted, never more than the time that passed; nobody who said nothing
    talking: list[str]  # who of the stage talks now, the dominant one first; a pause of up to 300 ms is part of it

@final
class ThreadStats:
    """What one thread of the engine does."""

    cpu_seconds: float
    sessions: int
    packets_in: int
    packets_out: int
    is_realtime: bool

@final
class EngineStats:
    """Counters since the start, for /metrics and the benches."""

    threads: list[ThreadStats]
    sessions: int
    rooms: int
    packets_in: int
    packets_out: int
    bytes_out: int
    bypassed: int  # datagrams that went around the UDP stack
    send_errors: int
    packets_dropped: int
    dropped: dict[
        str, int
    ]  # of these, by what they were: "stun", "dtls", "rtp", "rtcp", "unheard" (authentic sound of who may not be heard), "other"
    nacked: int  # packets that listeners asked for again
    retransmitted: int  # of these, sent again
    requested: int  # packets that speakers were asked for again
    reported_expected: int  # packets that listeners' reports speak of
    reported_lost: float  # of these, missing: what came when it was sent again is not
    red_legs: list[int]  # listeners by how many copies each packet of theirs carries: none, one, two
    cpu_seconds: float  # of the engine's own threads
    forward_delay_p50_ms: float  # from the kernel's receive to the last send of that packet, by each thread that sends it; last 10 s
    forward_delay_p99_ms: float
    forward_delay_bounds_secs: list[float]  # upper ends of the buckets of the counts, inclusive; one bucket more is open
    forward_delay_counts: list[int]  # the same delays since the start, by bucket
    forward_delay_sum_secs: float

@final
class Engine:
    def __init__(
        self,
        *,
        port: int,
        addresses: Sequence[str],
        bind: str = "0.0.0.0",  # noqa: S104  (one is called from outside)
        tcp_ports: Sequence[int] = (),
        threads: int = 1,
        listeners_at_home: int = 256,
        bypass: str | None = None,
        long_packets_from: int | None = 200,
        realtime: bool = False,
        sockets: Sequence[int] = (),
        listener: int | None = None,
        book: int | None = None,
    ) -> None:
        """Bind `port` by UDP and TCP and start the threads. addresses: IPs offered as host candidates, most preferred first.

        tcp_ports: further TCP ports to offer, which something in front of the engine hands on to `port`.
        threads: 1 to 64. listeners_at_home: of one room on its first thread before others take more of them.
        bypass: an interface over which sound leaves as frames of our own making, around the UDP stack; see `bypass_refused`.
        long_packets_from: listeners in a room's audience, of one thread, from which on it gets 60 ms of speech in a packet. None: never.
        realtime: run the threads before everything in normal scheduling, where this process may and a processor is left beside them; see
        `ThreadStats.is_realtime`.
        sockets: descriptors of UDP sockets that are bound already, at most one for each thread. listener: of the TCP socket of the
        same port. book: descriptor of a memfd with the session book, empty at first. Sessions that are in it come back held: nothing is
        forwarded before `release`. All descriptors stay the caller's. Raises EngineError.
        """

    def open_session(
        self, *, session: str, room: str, person: str, direction: Direction, offer: str, tag: bytes | None = None
    ) -> SessionOpened:
        """Answer an offer. An older session of the same person, room and direction is closed as "taken_over".

        person: the id of a person or a visitor. tag: up to 1 KiB that come back with the session in another process.
        Raises OfferRefused, also for the sixth session of a person that has not connected yet.
        """

    def restart_ice(self, session: str, fragment: str) -> tuple[str, str]:
        """RFC 9725 4.3.2: the peer's new ufrag and password in, (SDP fragment, new etag) out.

        Raises OfferRefused, SessionUnknown. A fragment without new credentials is OfferRefused("no new credentials").
        """

    def close_session(self, session: str, reason: str) -> bool:
        """Send a DTLS close, forget the keys. False if there is no such session."""

    def set_stage(self, room: str, speakers: Sequence[Speaker]) -> None:
        """Replace who may be heard in `room`. Takes effect on the next packet.

        A speak session of someone no longer listed is closed as "left_stage"; a muted one stays and is dropped at ingress.
        """

    def close_person(self, room: str, person: str, reason: str) -> int:
        """Close every session of one person in one room; silent in both directions when this returns. The count."""

    def close_room(self, room: str, reason: str) -> int: ...
    def poll_events(self, timeout_secs: float) -> list[Event]:
        """Wait without the GIL for events, at most `timeout_secs`. One caller at a time.

        After `close()` the events that are left, then EngineError.
        """

    def truth(self, room: str | None = None) -> list[SessionTruth]: ...
    def take_talk(self) -> list[RoomTalk]:
        """Every room in which somebody has talked since the last call, and once more when they have stopped. One caller."""

    def stats(self) -> EngineStats: ...
    def restored(self) -> list[SessionRestored]:
        """The sessions that were in the book at the start; no event tells that they are connected."""

    def bypass_refused(self) -> str | None:
        """Why nothing goes around the UDP stack although that was asked for: a sentence."""

    def book_emptied(self) -> str | None:
        """Why the sessions that were in the book did not come back, as a sentence."""

    def release(self) -> None:
        """Forward sound, now that the stages of the restored sessions' rooms are set and who may not go on is closed."""

    def settle(self) -> None:
        """This process runs well: the next one may believe the book. The third start in a row with sessions in it and without this word
        empties it."""

    def leave(self) -> None:
        """Stop the threads without a word to anybody; the next process goes on with the sessions. Without a book this is `close`."""

    def close(self) -> None:
        """Tell every peer, stop the threads, free the port. Further calls raise EngineError."""
