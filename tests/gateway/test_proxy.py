"""What is handed on to web, what is not, and what web is told about who asks."""

import asyncio
import gzip
import json
from contextlib import AsyncExitStack
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest
from yarl import URL

from salon.gateway import limits, retry
from salon.gateway.app import is_internal
from salon.gateway.proxy import client_address
from tests.fakes.web import FakeWeb
from tests.gateway.conftest import Running


async def told(response: aiohttp.ClientResponse) -> dict[str, Any]:
    return dict(await response.json())


def header(request: dict[str, Any], name: str) -> list[str]:
    return [value for key, value in request["headers"] if key == name]


@pytest.mark.parametrize("path", ["/api/v1/me", "/_allauth/browser/v1/config", "/staff/", "/uploads/pictures/x.webp", "/static/a.css"])
async def test_webs_addresses_are_handed_on(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as response:
        assert (response.status, (await told(response))["path"]) == (200, path)


@pytest.mark.parametrize("path", ["/api/v1/people/a%2Fb", "/api/v1/x?y=%20&z=%C3%A9", "/api//v1/me"])
async def test_address_reaches_web_as_it_was_written(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(URL(path, encoded=True)) as response:
        assert (await told(response))["path"] == path


async def test_other_methods_go_to_web_wherever_they_point(http: aiohttp.ClientSession) -> None:
    async with http.post("/rooms/x", data=b"body") as response:
        assert (request := await told(response))["method"] == "POST"
        assert request["length"] == 4


async def test_web_learns_who_asks_and_by_which_name(gateway: Running, http: aiohttp.ClientSession) -> None:
    forged = {"X-Salon-Internal": "guess", "X-Forwarded-Host": "evil.test", "X-Real-IP": "1.2.3.4", "Forwarded": "for=1.2.3.4"}
    async with http.get("/api/v1/me", headers={"Host": "salon.test", "Accept-Encoding": "br", **forged}) as response:
        request = await told(response)

    assert header(request, "x-forwarded-for") == ["127.0.0.1"]
    assert header(request, "x-forwarded-host") == ["salon.test"]
    assert header(request, "x-forwarded-proto") == ["http"]
    assert header(request, "host") == ["salon.test"]
    assert header(request, "accept-encoding") == ["br"]
    assert [header(request, name) for name in ("x-salon-internal", "x-real-ip", "forwarded")] == [[], [], []]


async def test_hop_by_hop_headers_stay_here(http: aiohttp.ClientSession) -> None:
    headers = {"Connection": "close, X-Mine", "X-Mine": "1", "TE": "trailers", "Proxy-Authorization": "Basic x", "X-Yours": "2"}
    async with http.get("/api/v1/me", headers=headers) as response:
        request = await told(response)

    assert [header(request, name) for name in ("x-mine", "te", "proxy-authorization")] == [[], [], []]
    assert header(request, "x-yours") == ["2"]


async def test_answer_comes_back_whole(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/v1/me") as response:
        assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert response.headers["X-Content-Type-Options"] == "web's own"
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"


async def test_answers_without_a_body(http: aiohttp.ClientSession) -> None:
    async with http.delete("/api/v1/no-content") as response:
        assert (response.status, await response.read()) == (204, b"")
    async with http.head("/api/v1/me") as response:
        assert (response.status, int(response.headers["Content-Length"]) > 0, await response.read()) == (200, True, b"")


async def test_long_answer_is_streamed(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/v1/long") as response:
        assert await response.read() == b"x" * 64 * 16_384


async def test_no_cookie_of_one_reaches_another(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/v1/me"):
        pass
    http.cookie_jar.clear()
    async with http.get("/api/v1/me") as response:
        assert header(await told(response), "cookie") == []


@pytest.mark.parametrize(
    ("path", "limit"), [("/api/v1/rooms", limits.BODY_BYTES), ("/api/v1/me/picture", limits.PICTURE_BYTES)], ids=["json", "picture"]
)
async def test_body_at_its_limit_passes_and_one_byte_more_does_not(http: aiohttp.ClientSession, path: str, limit: int) -> None:
    async with http.put(path, data=b"x" * limit) as response:
        assert (await told(response))["length"] == limit
    async with http.put(path, data=b"x" * (limit + 1)) as response:
        assert (response.status, (await told(response))["code"]) == (413, "too_large")


async def test_body_that_does_not_say_its_length_is_counted(http: aiohttp.ClientSession) -> None:
    async def chunks(count: int) -> Any:
        for _ in range(count):
            yield b"x" * 1024

    async with http.put("/api/v1/rooms", data=chunks(256)) as response:
        assert (await told(response))["length"] == limits.BODY_BYTES
    async with http.put("/api/v1/rooms", data=chunks(1024)) as response:
        assert (response.status, (await told(response))["code"]) == (413, "too_large")


async def test_compressed_body_reaches_web_as_it_was_sent(http: aiohttp.ClientSession) -> None:
    body = gzip.compress(b'{"title": "' + b"x" * 10_000 + b'"}')

    async with http.post("/api/v1/rooms", data=body, headers={"Content-Encoding": "gzip"}) as response:
        request = await told(response)

    assert request["length"] == len(body)
    assert header(request, "content-length") == [str(len(body))]
    assert header(request, "content-encoding") == ["gzip"]


async def test_web_hears_of_a_request_only_when_its_body_is_there(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Web's few threads wait for no slow sender."""
    monkeypatch.setattr(limits, "BODY_SECS", 0.05)
    request = "POST /api/v1/rooms HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"

    status, body = await raw_request(gateway, request)

    assert (status, json.loads(body)["code"]) == (408, "invalid")
    assert gateway.web.requests == []


@pytest.mark.parametrize(
    "path",
    ["/internal/snapshot", "/internal", "//internal/health", "/./internal/health", "/api/../internal/health", "/%69nternal/health"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_internal_addresses_do_not_exist_outside(gateway: Running, path: str, method: str) -> None:
    """Written by hand: a client library would tidy these addresses up."""
    secret = gateway.settings.internal_secret
    status, body = await raw_request(
        gateway, f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-Salon-Internal: {secret}\r\nConnection: close\r\n\r\n"
    )

    assert (status, json.loads(body)["code"]) == (404, "not_found")
    assert gateway.web.snapshots == []


async def test_whole_address_in_the_request_line_is_understood(gateway: Running) -> None:
    line = "GET http://salon.test/api/v1/x?y=1 HTTP/1.1"
    status, body = await raw_request(gateway, f"{line}\r\nHost: salon.test\r\nConnection: close\r\n\r\n")

    assert (status, json.loads(body)["path"]) == (200, "/api/v1/x?y=1")


async def test_internal_address_written_whole_does_not_exist_either(gateway: Running) -> None:
    status, _ = await raw_request(gateway, "GET http://salon.test/internal/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert (status, gateway.web.requests) == (404, [])


@pytest.mark.parametrize("line", ["OPTIONS * HTTP/1.1", "CONNECT salon.test:443 HTTP/1.1"])
async def test_request_for_no_address_goes_nowhere(gateway: Running, line: str) -> None:
    status, _ = await raw_request(gateway, f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert (status, gateway.web.requests) == (404, [])


async def test_header_that_wsgi_would_take_for_the_gateways_own_stays_here(gateway: Running) -> None:
    forged = "X_Forwarded_For: 1.2.3.4\r\nX_Salon_Internal: guess\r\nX-Yours: 2\r\n"
    _, body = await raw_request(gateway, f"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n{forged}Connection: close\r\n\r\n")

    request = json.loads(body)
    assert [name for name, _ in request["headers"] if "_" in name] == []
    assert (header(request, "x-forwarded-for"), header(request, "x-yours")) == (["127.0.0.1"], ["2"])


async def raw_request(gateway: Running, request: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.settings.port)
    writer.write(request.encode())
    async with asyncio.timeout(10):
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    return int(head.split()[1]), body


@pytest.mark.parametrize(("path", "internal"), [("/internal/x", True), ("/api/internal", False), ("/internally", False), ("/", False)])
def test_is_internal(path: str, internal: bool) -> None:
    assert is_internal(path) is internal


async def test_while_web_is_down_it_is_said_to_start(
    gateway: Running, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.door._proxy, "_web_url", "http://127.0.0.1:9")
    monkeypatch.setattr(retry, "_PAUSES_SECS", ())

    async with http.post("/api/v1/rooms", json={}, headers={"Accept-Language": "fr"}) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert await told(response) == {
            "code": "starting", "message": "Salon démarre. Réessayez dans un instant.", "field": None,
        }  # fmt: skip


async def test_request_waits_for_a_web_that_is_just_being_started_again(
    gateway: Running, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    back = FakeWeb()
    monkeypatch.setattr(gateway.door._proxy, "_web_url", f"http://127.0.0.1:{unused_tcp_port}")
    async with AsyncExitStack() as runs:

        async def web_starts(secs: float) -> None:
            await runs.enter_async_context(back.running(unused_tcp_port))

        monkeypatch.setattr(retry, "sleep", web_starts)
        async with http.post("/api/v1/rooms", data=b"body") as response:
            request = await told(response)

    assert (request["method"], request["length"], back.requests) == ("POST", 4, ["POST /api/v1/rooms"])


async def test_request_that_may_have_been_carried_out_is_not_sent_again(
    gateway: Running, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    heard: list[bytes] = []

    async def dies_over_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n"))
        writer.close()

    monkeypatch.setattr(gateway.door._proxy, "_web_url", f"http://127.0.0.1:{unused_tcp_port}")
    async with await asyncio.start_server(dies_over_it, "127.0.0.1", unused_tcp_port), http.post("/api/v1/rooms", json={}) as response:
        assert (response.status, (await told(response))["code"]) == (503, "starting")

    assert heard == [b"POST /api/v1/rooms HTTP/1.1\r\n"]


TRUSTED = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("1.1.1.1, 198.51.100.1, 10.2.3.4",), "198.51.100.1"),
        ("10.0.0.1", ("1.1.1.1", "198.51.100.1"), "198.51.100.1"),
        ("::1", ("2001:db8::1",), "2001:db8::1"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("nonsense",), "10.0.0.1"),
        ("10.0.0.1", ("::ffff:198.51.100.1",), "198.51.100.1"),
        ("::ffff:10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: tuple[str, ...], address: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == address
