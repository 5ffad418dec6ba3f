"""Everything that is neither a page nor a socket is handed on to web.

A request's body is read here to its end before web hears of the request: web has few threads, and one that waits for a slow sender
serves nobody. Answers are streamed where they are long.
"""

import asyncio
import logging
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from salon.config.environment import Environment
from salon.gateway import limits
from salon.gateway.refusals import refusal

logger = logging.getLogger(__name__)

# RFC 9110 section 7.6.1, and what older peers say.
_HOP_BY_HOP = (
    "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
    "TE", "Trailer", "Transfer-Encoding", "Upgrade",
)  # fmt: skip
# What only the gateway may tell web. It has answered an Expect itself, and it counts a body's bytes anew.
_OURS = (
    "Content-Length", "Expect", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "X-Salon-Internal",
)  # fmt: skip
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=2, sock_read=30)
# Shorter than web keeps an idle connection, so that a request never meets one that is just being closed.
KEPT_ALIVE_SECS = 10.0
_PICTURE_PATH = "/api/v1/me/picture"
_AT_ONCE_BYTES = 1024 * 1024
"""An answer up to this length is taken from web whole, so that a slow reader holds no connection to it."""


class BodyTooLarge(Exception):
    pass


class Proxy:
    def __init__(self, session: aiohttp.ClientSession, web_url: str, settings: Environment) -> None:
        self._session = session
        self._web_url = web_url
        self._pictures = asyncio.Semaphore(limits.PICTURES_AT_ONCE)
        self._trusted = settings.trusted_proxies
        # In production whatever stands in front ends TLS; only then can the address people type begin with https.
        self._scheme = None if settings.is_development else urlsplit(settings.public_url).scheme

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await self._body_of(request)
        except BodyTooLarge:
            return _refused(413, "too_large")
        except TimeoutError:
            return _refused(408, "invalid")
        try:
            async with self._session.request(
                request.method,
                URL(self._web_url + _target_of(request), encoded=True),
                headers=self._request_headers(request),
                data=body,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                timeout=_TIMEOUT,
            ) as response:
                return await _answer(request, response)
        except (aiohttp.ClientError, TimeoutError) as error:
            logger.info("Web does not answer.", extra={"action": "web_unreachable", "kind": type(error).__name__})
            return web.json_response(refusal("starting", _language(request)), status=503, headers={"Retry-After": "1"})

    async def _body_of(self, request: web.Request) -> bytes | None:
        """Raises BodyTooLarge, TimeoutError."""
        if not request.body_exists:
            return None
        if request.path != _PICTURE_PATH:
            return await read_body(request, limits.BODY_BYTES)
        async with self._pictures:
            return await read_body(request, limits.PICTURE_BYTES)

    def _request_headers(self, request: web.Request) -> CIMultiDict[str]:
        headers = _without_hop_by_hop(request.headers)
        # WSGI makes "_" of "-" (PEP 3333 by way of CGI): X_Forwarded_For would be taken for what the gateway itself says.
        for name in [name for name in headers if "_" in name]:
            headers.popall(name, None)
        for name in _OURS:
            headers.popall(name, None)
        headers["X-Forwarded-For"] = client_address(request.remote or "", request.headers.getall("X-Forwarded-For", ()), self._trusted)
        headers["X-Forwarded-Host"] = request.host
        headers["X-Forwarded-Proto"] = self._scheme or request.scheme
        return headers


def _target_of(request: web.Request) -> str:
    """Path and query, exactly as the client wrote them.

    A client may write the whole address, as to a proxy, and must then be understood (RFC 9112 section 3.2.2). Targets of the
    other forms, `*` and `host:port`, match no route and never come here.
    """
    return request.raw_path if request.raw_path.startswith("/") else str(request.rel_url)


async def read_body(request: web.Request, limit: int) -> bytes:
    """The whole of it. Raises BodyTooLarge as soon as it is known to be longer than `limit`, TimeoutError after `limits.BODY_SECS`."""
    if (request.content_length or 0) > limit:
        raise BodyTooLarge
    body = bytearray()
    async with asyncio.timeout(limits.BODY_SECS):
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > limit:
                raise BodyTooLarge
    return bytes(body)


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """Who asks: the peer itself, or, behind proxies that are trusted, the last address in the chain that is not one of them.

    forwarded: the X-Forwarded-For headers; each proxy appends whom it heard from, so what stands left of an untrusted one is hearsay.
    """
    chain = [part.strip() for header in forwarded for part in header.split(",")]
    address = peer
    while chain and _is_trusted(address, trusted):
        address = chain.pop()
    return _unmapped(address) if _is_address(address) else peer


def _unmapped(address: str) -> str:
    """An IPv4 address as itself, not as sockets of both families name it (`::ffff:192.0.2.1`): all of them share 64 bits."""
    parsed = ip_address(address)
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _is_trusted(address: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    return _is_address(address) and any(ip_address(_unmapped(address)) in network for network in trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


async def _answer(request: web.Request, response: aiohttp.ClientResponse) -> web.StreamResponse:
    headers = _without_hop_by_hop(response.headers)
    length = response.content_length
    if request.method == "HEAD" or response.status in (204, 304) or (length is not None and length <= _AT_ONCE_BYTES):
        return web.Response(status=response.status, reason=response.reason, headers=headers, body=await response.read() or None)
    headers.popall("Content-Length", None)
    stream = web.StreamResponse(status=response.status, reason=response.reason, headers=headers)
    stream.content_length = length
    await stream.prepare(request)
    async for chunk in response.content.iter_any():
        await stream.write(chunk)
    await stream.write_eof()
    return stream


def _without_hop_by_hop(received: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    headers = received.copy()
    named = [name.strip() for value in headers.getall("Connection", ()) for name in value.split(",")]
    for name in (*_HOP_BY_HOP, *named):
        headers.popall(name, None)
    return headers


def _language(request: web.Request) -> str:
    return "fr" if request.headers.get("Accept-Language", "").startswith("fr") else "en"


def _refused(status: int, code: str) -> web.Response:
    # The rest of the body is not read, so the connection cannot be used again.
    return web.json_response(refusal(code), status=status, headers={"Connection": "close"})
