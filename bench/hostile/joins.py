"""People who join while strangers send ClientHellos to the same port."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

from bench.figures import Figure, percentile
from bench.hostile.packets import client_hello, flooding, received, stranger
from bench.installation import Installation
from bench.programs import BenchFailed, progress, run_load_client

_JOINS, _PER_SEC = 1_000, 40
_HELLOS_PER_SEC = 1_000
_STRANGERS = 2
_SECS = _JOINS / _PER_SEC + 2


def join_figures(salon: Installation) -> Iterator[Figure]:
    """At the media process's own door: what is measured is the handshake. Raises BenchFailed."""
    yield from asyncio.run(_figures(salon))


async def _figures(salon: Installation) -> list[Figure]:
    packets = [client_hello(number) for number in range(int(_HELLOS_PER_SEC * _SECS))]
    async with AsyncExitStack() as stack:
        strangers = [stack.enter_context(stranger()) for _ in range(_STRANGERS)]
        each = [packets[number::_STRANGERS] for number in range(_STRANGERS)]
        floods = [asyncio.create_task(flooding(out, salon.port + 4, some, _SECS)) for out, some in zip(strangers, each, strict=True)]
        joined = await asyncio.to_thread(_joined, salon)
        await asyncio.gather(*floods)
        answers = sum(received(out) for out in strangers)
    failed = Counter[str]()
    for group in joined:
        failed.update(group["failures"])
    heard = [ms for group in joined for ms in group["audio_ms"]]
    progress(f"{len(heard)} of {_JOINS} joined at {_PER_SEC}/s beside {len(packets)} ClientHellos: {dict(failed)}, {answers} answers")
    if len(heard) + failed.total() < _JOINS:
        raise BenchFailed("fewer than were to try to join did")
    return [
        Figure("hostile.race_joins_failed", "joins", "lower", (failed.total(),)),
        Figure("hostile.race_join_audio_ms_p95", "ms", "lower", (percentile(heard, 0.95),)),
        Figure("hostile.race_dtls_answers", "datagrams", "lower", (answers,)),
    ]


def _joined(salon: Installation) -> list[dict[str, Any]]:
    """A line for the first one, one for the others, and one for whoever came in the place of those that could not."""
    options: dict[str, Any] = {
        "control": salon.media_control,
        "secret_key_file": salon.secret_key_file,
        "stages": _JOINS,
        "one_by_one": 1,
        "join_rate": _PER_SEC,
        "speakers": 1,
        "windows": 0,
        "settle": "0s",
        "deadline": "60s",
    }
    return [line for line in run_load_client("room", **options) if line["kind"] == "joined"]
