"""Sessions that are asked for and never connected: how many there may be, and how soon they are given up."""

import asyncio
import json
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import aiohttp

from bench.figures import Figure
from bench.installation import Installation
from bench.programs import BenchFailed, progress
from salon.config.environment import derived_secret

_OFFERS = 1_000
_ADDRESSES = 5
"""That visitors seem to come from; the bench stands where an operator's proxy would."""
_AT_ONCE = 20
_PATIENCE_SECS = 30
_LOOK_SECS = 0.1

_OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=recvonly",
        "a=rtcp-mux",
        "a=setup:actpass",
        "a=ice-ufrag:peer",
        "a=ice-pwd:a+password+of+the+peer",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        "a=rtpmap:111 opus/48000/2",
        "",
    ]
)


def half_open_figures(salon: Installation, tokens: Sequence[str], room: str) -> Iterator[Figure]:
    """tokens: of people who each open a room. Raises BenchFailed."""
    yield from asyncio.run(_figures(salon, tokens, room))


async def _figures(salon: Installation, tokens: Sequence[str], room: str) -> list[Figure]:
    statuses: Counter[int] = Counter()
    async with aiohttp.ClientSession(salon.base, cookie_jar=aiohttp.DummyCookieJar()) as http:
        rooms = [room, *[await _open_room(http, token) for token in tokens]]
        people = [(where, _bearer(token)) for token in tokens for where in rooms]
        visitors = [(room, {"X-Forwarded-For": f"192.0.2.{1 + number % _ADDRESSES}"}) for number in range(_OFFERS)]
        asked = (people * _OFFERS)[: _OFFERS // 2] + visitors[: _OFFERS // 2]
        waiting = iter(asked)
        most: Counter[str] = Counter()

        async def ask() -> None:
            for where, headers in waiting:
                async with http.post(
                    f"/api/v1/rooms/{where}/listen", data=_OFFER, headers=headers | {"Content-Type": "application/sdp"}
                ) as answer:
                    await answer.read()
                    statuses[answer.status] += 1

        asking = asyncio.gather(*(ask() for _ in range(_AT_ONCE)))
        while not asking.done():
            for person, count in Counter(_unfinished(salon)).items():
                most[person] = max(most[person], count)
            await asyncio.wait([asking], timeout=_LOOK_SECS)
        await asking
        last_at = time.monotonic()
    open_now = len(_unfinished(salon))
    while _unfinished(salon):
        if time.monotonic() - last_at > _PATIENCE_SECS:
            raise BenchFailed(f"sessions that never connected were there after {_PATIENCE_SECS} s")
        await asyncio.sleep(_LOOK_SECS)
    reaped_secs = time.monotonic() - last_at
    progress(
        f"{_OFFERS} offers by {len(tokens)} people and from {_ADDRESSES} addresses: answered {dict(statuses)}; at most "
        f"{max(most.values(), default=0)} unfinished sessions of a person, {open_now} in all at the end, gone {reaped_secs:.1f} s later"
    )
    if set(statuses) - {201, 429} or not {201, 429} <= set(statuses):
        raise BenchFailed(f"offers were answered {dict(statuses)}, and not some by 201 and the others by 429")
    return [
        Figure("hostile.half_open_of_a_person", "sessions", "lower", (max(most.values(), default=0),)),
        Figure("hostile.half_open_admitted", "sessions", "lower", (statuses[201],)),
        Figure("hostile.half_open_reaped_secs", "s", "lower", (reaped_secs,)),
    ]


async def _open_room(http: aiohttp.ClientSession, token: str) -> str:
    async with http.post("/api/v1/rooms", json={"title": "Half open", "language": "en"}, headers=_bearer(token)) as answer:
        if answer.status != 201:
            raise BenchFailed(f"a room was answered {answer.status}")
        return str((await answer.json())["id"])


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _unfinished(salon: Installation) -> list[str]:
    """Whose sessions are open and not connected, by the engine's truth."""
    secret = derived_secret(salon.secret_key_file.read_text().strip(), "internal")
    request = urllib.request.Request(f"{salon.media_control}/truth", headers={"X-Salon-Internal": secret})  # noqa: S310  (our own address)
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        sessions: list[dict[str, Any]] = json.load(answer)["sessions"]
    return [session["person"] for session in sessions if not session["connected"]]
