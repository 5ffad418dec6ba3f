"""Which sockets watch which streams, and how an event, a snapshot and a resumption reach them without a gap or a double.

What makes it right, for every watcher: `watchers[client]` is the number of the last event the client has. A watcher is registered in one
step with its snapshot and all events the log has after it; from then on an event is written only if it is newer than that number. The
log is advanced before the writing begins, so whoever registers during a slow fan-out has got the event from the log.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from salon.gateway.client import Client
from salon.gateway.fanout import fan_out
from salon.gateway.frames import frame, json_bytes, text_frame
from salon.gateway.hallway import read_listing
from salon.gateway.identity import Identity
from salon.gateway.messages.fields import Number
from salon.gateway.stream_log import Event, StreamLog
from salon.gateway.stream_names import HALLWAY, is_for_moderators, is_for_who_may_enter, name_for_client
from salon.gateway.web import InternalWeb, WebRefused

logger = logging.getLogger(__name__)

REMEMBERED_SECS = 60.0
"""How long a stream nobody watches is kept, and how long somebody who watched it may resume without web being asked."""
GAP_PATIENCE_SECS = 0.2
"""Neighbours swapped in transport come within milliseconds; after this the missing event is fetched."""
SNAPSHOT_ATTEMPTS = 3
FIRST_RETRY_SECS, LONGEST_RETRY_SECS = 0.5, 5.0
CONCURRENT_RECOVERIES = 4


class Stream:
    def __init__(self, name: str) -> None:
        self.name = name
        self.name_for_client = name_for_client(name)
        self.log = StreamLog()
        self.watchers: dict[Client, int] = {}
        self.admitted_until: dict[Identity, float] = {}
        """Whom web let in and who left a moment ago, and until when (monotonic) they may resume from the log."""
        self.opening = 0
        """Watches being answered: while there are any, events must not be missed."""
        self.idle_since = 0.0
        self.writing = asyncio.Lock()
        """One fan-out at a time keeps every socket's events in order."""
        self.generation = 0
        """Raised when what web answered a moment ago may no longer hold: somebody was expelled, or the bus lost messages."""
        self.must_ask = False
        """The bus lost messages since the head: only web knows what they were."""
        self.repair: asyncio.Task[None] | None = None

    @property
    def is_unused(self) -> bool:
        return not self.watchers and not self.opening

    def event_of(self, payload: bytes) -> tuple[Event, dict[str, Any]]:
        """The event as it goes to sockets, and parsed. Raises ValueError, KeyError, TypeError for what is no event."""
        message = json.loads(payload)
        people = message.pop("people", None)  # for processes only
        if message["stream"] != self.name_for_client or people is not None:
            message["stream"] = self.name_for_client
            payload = json_bytes(message)
        seq, sent = int(message["seq"]), text_frame(payload)
        if self.name != HALLWAY:
            return Event(seq, sent), message
        listing = read_listing(message["kind"], message["data"], people)
        return Event(seq, sent, listing, frame(message | {"kind": "room_unlisted", "data": {"id": listing.room}})), message


class Streams:
    def __init__(self, web: InternalWeb, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._web = web
        self._clock = clock
        self._streams: dict[str, Stream] = {}
        self._recovering = asyncio.Semaphore(CONCURRENT_RECOVERIES)
        self._tasks: set[asyncio.Task[None]] = set()
        self.events = 0
        """Taken from the bus since the start, for streams that are watched."""
        self.on_answer: Callable[[str, Mapping[str, Any], float], None] = lambda name, answer, asked_at: None
        """Called with each answer that web gives about a stream, and when it was asked for (monotonic seconds), before anybody gets it."""
        self.on_snapshot: Callable[[Client, str, Any], None] = lambda client, name, state: None
        """Called with each state that a client is about to be sent."""
        self.on_greeting: Callable[[Client, str], None] = lambda client, name: None
        """Called with each client that has just got a snapshot, or what it had missed."""
        self.on_repaired: Callable[[str, Mapping[str, Any]], None] = lambda name, event: None
        """Called with each event that the bus lost and web told, before any watcher hears of it."""

    def __len__(self) -> int:
        return len(self._streams)

    def is_known(self, name: str) -> bool:
        """Whether somebody watches this, is about to, or did a moment ago."""
        return name in self._streams

    def is_watched(self, name: str) -> bool:
        stream = self._streams.get(name)
        return stream is not None and bool(stream.watchers)

    def watchers(self, name: str) -> list[Client]:
        stream = self._streams.get(name)
        return list(stream.watchers) if stream else []

    # Watching

    async def watch(self, client: Client, name: str, *, reply_to: Number, after: int | None) -> None:
        """Answer with a snapshot, or with what was missed; from then on, every event. Raises WebRefused."""
        stream = self._streams.setdefault(name, Stream(name))
        stream.opening += 1
        try:
            if _must_begin_anew(stream, client):
                after = None
            if after is None or not self._resume_from_log(stream, client, reply_to, after):
                await self._ask_web(stream, client, reply_to, after)
        finally:
            stream.opening -= 1
            stream.idle_since = self._clock()
            if stream.is_unused and stream.log.head is None:  # refused: keep nothing about names that clients make up
                self._streams.pop(name, None)

    def unwatch(self, client: Client, name: str) -> None:
        client.watches.discard(name)
        stream = self._streams.get(name)
        if stream is not None and stream.watchers.pop(client, None) is not None:
            stream.idle_since = self._clock()
            stream.admitted_until[client.identity] = self._clock() + REMEMBERED_SECS

    def leave(self, client: Client) -> None:
        """The socket is gone."""
        for name in list(client.watches):
            self.unwatch(client, name)

    def expel(self, person: str, name: str) -> None:
        """This person may no longer watch: end the watches they have, and let them resume no more."""
        identity = Identity(person, None)
        stream = self._streams.get(name)
        if stream is None:
            return
        stream.generation += 1
        for client in [client for client in stream.watchers if client.identity == identity]:
            self._expel_client(stream, client)
        stream.admitted_until.pop(identity, None)

    def reconsider(self, client: Client) -> None:
        """Somebody has blocked this client's person, or does no more: show the hallway as it is now, and end what they may not watch."""
        for name in list(client.watches):
            if name == HALLWAY or is_for_who_may_enter(name):
                self._spawn(self._reconsider(self._streams[name], client), f"reconsider {name}")

    def forget_idle(self) -> None:
        """Drop streams that nobody has watched for a while. To be called now and then."""
        now = self._clock()
        for name, stream in list(self._streams.items()):
            if stream.is_unused and now - stream.idle_since > REMEMBERED_SECS:
                del self._streams[name]
            else:
                stream.admitted_until = {identity: until for identity, until in stream.admitted_until.items() if until > now}

    # Events

    async def deliver(self, name: str, payload: bytes) -> dict[str, Any] | None:
        """An event from the bus. Returns it parsed, or None where nobody watches or it is no event."""
        stream = self._streams.get(name)
        if stream is None:
            return None
        try:
            event, message = stream.event_of(payload)
        except (ValueError, KeyError, TypeError):
            logger.error("An event on the bus cannot be read.", extra={"action": "event_unreadable", "stream": name})
            return None
        self.events += 1
        await self._append(stream, event)
        if stream.log.has_gap:
            self._repair_soon(stream, GAP_PATIENCE_SECS)
        return message

    def recover(self, is_affected: Callable[[str], bool] = lambda name: True) -> None:
        """The bus may have lost messages: ask web what the streams of these names missed."""
        for name, stream in [(name, stream) for name, stream in self._streams.items() if is_affected(name)]:
            stream.generation += 1
            stream.must_ask = True
            if stream.is_unused:
                del self._streams[name]
            else:
                self._repair_soon(stream, 0)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _append(self, stream: Stream, event: Event) -> None:
        async with stream.writing:
            for released in stream.log.append(event):
                await self._write(stream, released)

    async def _write(self, stream: Stream, event: Event) -> None:
        watchers = stream.watchers

        def write(client: Client) -> None:
            if watchers.get(client, event.seq) < event.seq:
                watchers[client] = event.seq
                client.send(event.frame_for(client.hallway))

        await fan_out(watchers, write)

    # Snapshots and resumption

    def _resume_from_log(self, stream: Stream, client: Client, reply_to: Number, after: int) -> bool:
        if stream.must_ask or (stream.admitted_until.get(client.identity, 0) <= self._clock() and client not in stream.watchers):
            return False
        missed = stream.log.after(after)
        if missed is None:
            return False
        self._send_resumed(stream, client, reply_to, after, missed)
        return True

    async def _ask_web(self, stream: Stream, client: Client, reply_to: Number | None, after: int | None) -> None:
        for _ in range(SNAPSHOT_ATTEMPTS):
            generation, blocked_by = stream.generation, client.hallway.blocked_by
            answer = await self._ask(stream, client.identity, after)
            if not client.is_open:
                return
            if generation != stream.generation or blocked_by != client.hallway.blocked_by:
                continue
            seq = int(answer["seq"])
            stream.log.start(seq)
            if not stream.watchers:  # nobody needs what lies between an old head and now
                stream.log.skip_to(seq)
                stream.must_ask = False
            # Web may be ahead of the bus: what comes up to `seq` will be recognised as old.
            newer = [] if stream.log.head is not None and seq > stream.log.head else stream.log.after(seq)
            if newer is None:  # so much happened since web looked that the log does not reach back to it
                continue
            if "state" in answer:
                self.on_snapshot(client, stream.name, answer["state"])
                client.send_message(
                    {"type": "snapshot", "reply_to": reply_to, "stream": stream.name_for_client, "seq": seq, "state": answer["state"]}
                )
                self._register(stream, client, seq, newer)
            else:
                missed = [stream.event_of(json_bytes(event))[0] for event in answer["events"]]
                self._send_resumed(stream, client, reply_to, seq, [*missed, *newer])
            return
        raise WebRefused(503, None)

    async def _ask(self, stream: Stream, identity: Identity, after: int | None) -> dict[str, Any]:
        """What web says. Raises WebRefused."""
        asked_at = self._clock()
        answer = await self._web.snapshot(stream.name, identity, after)
        self.on_answer(stream.name, answer, asked_at)
        return answer

    def _send_resumed(self, stream: Stream, client: Client, reply_to: Number | None, seq: int, events: list[Event]) -> None:
        """events: all after the number that the client named; seq: where it stands if there are none."""
        through = events[-1].seq if events else seq
        client.send_message({"type": "resumed", "reply_to": reply_to, "stream": stream.name_for_client, "seq": through})
        self._register(stream, client, through, events)

    def _register(self, stream: Stream, client: Client, seq: int, events: list[Event]) -> None:
        for event in events:
            client.send(event.frame_for(client.hallway))
        if client.is_open:  # the socket may just have been cut as a slow reader
            stream.watchers[client] = events[-1].seq if events else seq
            client.watches.add(stream.name)
            self.on_greeting(client, stream.name)

    # Repair

    def _repair_soon(self, stream: Stream, delay_secs: float) -> None:
        if stream.repair is None or stream.repair.done():
            stream.repair = self._spawn(self._repair(stream, delay_secs), f"repair {stream.name}")

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _repair(self, stream: Stream, delay_secs: float) -> None:
        """Fetch what is missing after the head, and try until web answers or nobody watches any more."""
        while True:
            await asyncio.sleep(delay_secs)
            if not stream.watchers or not (stream.must_ask or stream.log.has_gap):
                return
            try:
                async with self._recovering:
                    stream.must_ask = False
                    await self._fetch_missing(stream)
                delay_secs = GAP_PATIENCE_SECS
            except WebRefused:
                stream.must_ask = True
                delay_secs = min(max(2 * delay_secs, FIRST_RETRY_SECS), LONGEST_RETRY_SECS)

    async def _fetch_missing(self, stream: Stream) -> None:
        """Raises WebRefused while web cannot say."""
        head = stream.log.head
        answer = await self._ask_for_watchers(stream, head)
        if answer is None:
            return
        if "events" in answer:
            for event in answer["events"]:
                self.on_repaired(stream.name, event)
                await self._append(stream, stream.event_of(json_bytes(event))[0])
            # Web told them as one sees them whom nobody blocks, and not what to hide from whom.
            await self._begin_anew(stream, [client for client in stream.watchers if _has_own_view(stream, client)])
        elif head is None or int(answer["seq"]) > head:
            await self._start_over(stream, int(answer["seq"]))

    async def _ask_for_watchers(self, stream: Stream, head: int | None) -> dict[str, Any] | None:
        """What web says to the first watcher who still may watch; None if nobody may. Raises WebRefused.

        Those who are refused have lost the right since. Of a stream for moderators, who are few, every watcher is asked for:
        the event that took the right away may be among what the bus lost. Of the hallway, events as they are told to somebody with a
        view of their own are no use to the others, so they are left out.
        """
        answer = None
        for client in sorted(stream.watchers, key=lambda client: _has_own_view(stream, client)):
            try:
                answer = await self._ask(stream, client.identity, head)
            except WebRefused as refused:
                if refused.status != 404:
                    raise
                self._expel_client(stream, client)
                continue
            if _has_own_view(stream, client):
                answer.pop("events", None)
            if not is_for_moderators(stream.name):
                break
        return answer

    async def _start_over(self, stream: Stream, seq: int) -> None:
        """Web no longer knows the events in between: everybody gets a snapshot that they did not ask for."""
        async with stream.writing:
            stream.log.skip_to(seq)
        await self._begin_anew(stream, list(stream.watchers))

    async def _begin_anew(self, stream: Stream, clients: list[Client]) -> None:
        for client in clients:
            try:
                await self._ask_web(stream, client, None, None)
            except WebRefused as refused:
                if refused.status == 404:
                    self._expel_client(stream, client)

    async def _reconsider(self, stream: Stream, client: Client) -> None:
        """Until web answers, or the client watches this no more."""
        delay_secs = FIRST_RETRY_SECS
        while client in stream.watchers:
            try:
                async with self._recovering:
                    if stream.name == HALLWAY:
                        await self._ask_web(stream, client, None, None)
                    else:
                        await self._ask(stream, client.identity, stream.log.head)
                return
            except WebRefused as refused:
                if refused.status == 404:
                    self._expel_client(stream, client)
                    return
            await asyncio.sleep(delay_secs)
            delay_secs = min(2 * delay_secs, LONGEST_RETRY_SECS)

    def _expel_client(self, stream: Stream, client: Client) -> None:
        self.unwatch(client, stream.name)
        stream.admitted_until.pop(client.identity, None)
        client.send_message({"type": "unwatched", "stream": stream.name_for_client})


def _has_own_view(stream: Stream, client: Client) -> bool:
    return stream.name == HALLWAY and bool(client.hallway.blocked_by)


def _must_begin_anew(stream: Stream, client: Client) -> bool:
    """Whether only a snapshot will do: which rooms the hallway lists is known from one, of each view by itself."""
    return stream.name == HALLWAY and (stream.log.head is None or bool(client.hallway.blocked_by))
