"""A request that finds web away waits a little: a process that has ended is started again at once, and listens within a second or a few.

Only where no connection was made, so that nothing of the request can have reached web. One whose connection breaks later may have been
carried out, and is not sent again by somebody who cannot know (RFC 9112 section 9.3.1).
"""

from asyncio import sleep

import aiohttp

_PAUSES_SECS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 1.5, 1.5)
"""Six seconds in all; growing, since all who wait wait for the same process."""


async def retry_while_refused(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A middleware of aiohttp's client. Raises what `send` raises."""
    for pause in _PAUSES_SECS:
        try:
            return await send(request)
        except aiohttp.ClientConnectorError:
            await sleep(pause)
    return await send(request)
