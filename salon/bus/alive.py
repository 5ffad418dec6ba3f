"""How a process that nobody connects to says that it works: a word on the bus every few seconds, from its own event loop."""

import asyncio
import contextlib

from salon.bus.interface import Bus, BusUnavailable

INTERVAL_SECS = 5.0


async def say_alive(bus: Bus, part: str, node: str) -> None:
    """For ever. part: what it is, such as `worker`; node: which one."""
    while True:
        with contextlib.suppress(BusUnavailable):
            await bus.publish(f"alive.{part}", {"node": node})
        await asyncio.sleep(INTERVAL_SECS)
