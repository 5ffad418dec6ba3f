"""`python -m salon.demo`: seed the demo community, then hold its rooms until told to stop.

`salon serve` supervises it. The database is used for seeding and for the access tokens only; the talking uses the public
protocol, over the front door.
"""

import asyncio
import logging
import os
import signal
import sys

from salon.config.environment import environment


def _seed() -> dict[str, str]:
    """Every demo person's access token, by handle."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.config.settings")
    import django  # noqa: PLC0415  (Django is set up here and nowhere else in this process)

    django.setup()
    from django.db import connections  # noqa: PLC0415

    from salon.demo.seed import community_tokens, seed_community  # noqa: PLC0415

    seed_community()
    tokens = community_tokens(environment().data_dir / "demo")
    connections.close_all()
    connections["default"].close_pool()  # type: ignore[attr-defined]  # idle connections would be held for ever otherwise
    return tokens


async def hold_rooms(origin: str, tokens: dict[str, str]) -> None:
    """One task per script; a bug in one room ends the process loudly, for the supervisor to start it anew."""
    from salon.demo.community import scripts  # noqa: PLC0415
    from salon.demo.conversation import Conversation  # noqa: PLC0415  (needs aiortc, the extra `demo`)

    stopping = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as rooms:
        tasks = [
            rooms.create_task(Conversation(script, origin, tokens).run())
            for script in scripts()
            if all(handle in tokens for handle in script.speakers)
        ]
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, _settle, stopping)
        stop = rooms.create_task(_until(stopping))
        stop.add_done_callback(lambda _: [task.cancel() for task in tasks])


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


async def _until(future: "asyncio.Future[None]") -> None:
    await future


def loopback_origin() -> str:
    """The front door as this machine reaches it: a name in `public_url` may resolve only elsewhere."""
    here = environment()
    host = "127.0.0.1" if here.host in ("0.0.0.0", "::", "") else here.host  # noqa: S104  (compared, not bound)
    return f"http://{host}:{here.port}"


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("aioice", "aiortc"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if not environment().demo:
        sys.stderr.write("The demo community is switched off (SALON_DEMO=0).\n")
        return 2
    tokens = _seed()
    if not tokens:
        logging.getLogger("salon.demo").info("No demo community lives here.", extra={"action": "demo_absent"})
    asyncio.run(hold_rooms(loopback_origin(), tokens))
    return 0


if __name__ == "__main__":
    sys.exit(main())
