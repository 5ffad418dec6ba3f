"""Sockets through the front door: who gets in, what ends them."""

import aiohttp
import pytest

from salon.common.ids import new_id
from salon.gateway import limits
from salon.gateway.close_codes import CloseCode
from tests.gateway.conftest import Connect, Running, ticket

HOST = new_id()


async def test_hello_with_a_ticket_is_welcomed(gateway: Running, connect_silently: Connect) -> None:
    peer = await connect_silently()

    welcome = await peer.ask(type="hello", ticket=ticket(gateway.settings, HOST))

    assert welcome == {"type": "welcome", "reply_to": 1, "person": HOST, "heartbeat_secs": 20}
    assert peer.socket.protocol == "salon.v1"


async def test_visitor_is_welcomed_as_nobody(gateway: Running, connect_silently: Connect) -> None:
    peer = await connect_silently()

    welcome = await peer.ask(type="hello", ticket=ticket(gateway.settings, visitor=new_id()))

    assert welcome["person"] is None


async def test_ticket_is_taken_once(gateway: Running, connect_silently: Connect) -> None:
    once = ticket(gateway.settings, HOST)
    first, second = await connect_silently(), await connect_silently()
    assert (await first.ask(type="hello", ticket=once))["type"] == "welcome"

    await second.say(type="hello", ticket=once)

    assert await second.close_code() == CloseCode.TICKET_REFUSED


@pytest.mark.parametrize("expires_in", [-1, 0])
async def test_expired_ticket_is_refused(gateway: Running, connect_silently: Connect, expires_in: int) -> None:
    peer = await connect_silently()

    await peer.say(type="hello", ticket=ticket(gateway.settings, HOST, expires_in=expires_in))

    assert await peer.close_code() == CloseCode.TICKET_REFUSED


async def test_ninth_socket_of_a_person_is_refused_and_the_eight_go_on(
    gateway: Running, connect: Connect, connect_silently: Connect
) -> None:
    peers = [await connect(HOST) for _ in range(limits.SOCKETS_PER_PERSON)]
    ninth = await connect_silently()

    await ninth.say(type="hello", ticket=ticket(gateway.settings, HOST))

    assert await ninth.close_code() == CloseCode.TOO_MANY_MESSAGES
    assert [(await peer.ask(type="ping"))["type"] for peer in peers] == ["pong"] * limits.SOCKETS_PER_PERSON


async def test_closed_socket_makes_room_for_another(gateway: Running, connect: Connect) -> None:
    peers = [await connect(HOST) for _ in range(limits.SOCKETS_PER_PERSON)]

    await peers[0].socket.close()

    assert (await (await connect(HOST)).ask(type="ping"))["type"] == "pong"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json", CloseCode.BAD_FRAME),
        ("[1]", CloseCode.BAD_FRAME),
        ('{"type":"ping"}', CloseCode.BAD_FRAME),
        ('{"type":"ping","id":NaN}', CloseCode.BAD_FRAME),
        ('{"type":"ping","id":' + "9" * 400 + "}", CloseCode.BAD_FRAME),
        ("[" * 60_000, CloseCode.BAD_FRAME),
        ('{"type":"hello","id":1,"ticket":"again"}', CloseCode.BAD_FRAME),
        (" " * (limits.FRAME_BYTES + 1), CloseCode.TOO_LARGE),
        ("é" * (limits.FRAME_BYTES // 2 + 1), CloseCode.TOO_LARGE),
        (" " * (4 * limits.FRAME_BYTES), CloseCode.TOO_LARGE),
    ],
    ids=["text", "array", "no id", "NaN", "huge id", "deep", "second hello", "long", "long in bytes", "longer than memory is spent on"],
)
async def test_bad_frame_ends_the_socket(connect: Connect, frame: str, code: CloseCode) -> None:
    peer = await connect(HOST)

    await peer.socket.send_str(frame)

    assert await peer.close_code() == code


async def test_binary_frame_ends_the_socket(connect: Connect) -> None:
    peer = await connect(HOST)

    await peer.socket.send_bytes(b'{"type":"ping","id":1}')

    assert await peer.close_code() == CloseCode.BAD_FRAME


async def test_message_before_hello_ends_the_socket(connect_silently: Connect) -> None:
    peer = await connect_silently()

    await peer.say(type="ping")

    assert await peer.close_code() == CloseCode.BAD_FRAME


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"type": "sing"}, "type"),
        ({"type": "watch"}, "stream"),
        ({"type": "watch", "stream": "hallway", "after": -1}, "after"),
        ({"type": "command", "room": "r", "name": 5}, "name"),
        ({"type": "command", "room": "r", "name": "mute", "data": []}, "data"),
    ],
)
async def test_field_at_fault_is_answered_and_the_socket_goes_on(connect: Connect, message: dict[str, object], field: str) -> None:
    peer = await connect(HOST)

    answer = await peer.ask(**message)

    assert (answer["type"], answer["code"], answer["field"]) == ("error", "invalid", field)
    assert (await peer.ask(type="ping"))["type"] == "pong"


async def test_flood_is_cut_and_disturbs_nobody(connect: Connect) -> None:
    flooder, neighbour = await connect(HOST), await connect(new_id())

    for _ in range(1_000):
        await flooder.say(type="ping")

    assert await flooder.close_code() == CloseCode.TOO_MANY_MESSAGES
    assert (await neighbour.ask(type="ping"))["type"] == "pong"


async def test_burst_within_the_limit_is_answered(connect: Connect) -> None:
    peer = await connect(HOST)

    ids = [await peer.say(type="ping") for _ in range(int(limits.MESSAGES_BURST) - 1)]

    assert [(await peer.hear())["reply_to"] for _ in ids] == ids


async def test_cut_closes_all_sockets_of_that_person_only(gateway: Running, connect: Connect) -> None:
    first, second, other = await connect(HOST), await connect(HOST), await connect(new_id())

    await gateway.bus.publish(f"cut.{HOST}", {})

    assert [await first.close_code(), await second.close_code()] == [CloseCode.TICKET_REFUSED] * 2
    assert (await other.ask(type="ping"))["type"] == "pong"


async def test_when_cuts_may_be_lost_who_is_signed_in_comes_back_with_a_new_ticket(gateway: Running, connect: Connect) -> None:
    signed_in, visitor = await connect(HOST), await connect(visitor=new_id())
    gateway.bus.disconnect()

    gateway.bus.reconnect()

    assert await signed_in.close_code() == CloseCode.STOPPING
    assert (await visitor.ask(type="ping"))["type"] == "pong"
    assert (await (await connect(HOST)).ask(type="ping"))["type"] == "pong"


async def test_stopping_gateway_tells_everybody(gateway: Running, connect: Connect, http: aiohttp.ClientSession) -> None:
    peer = await connect(HOST)

    gateway.door.gateway.close_sockets()

    assert await peer.close_code() == CloseCode.STOPPING
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/ws")
    assert refused.value.status == 503


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://salon.test", 101),
        ("http://localhost:5173", 101),
        ("http://127.0.0.1:8000", 101),
        ("https://evil.test", 403),
        ("http://salon.test.evil.test", 403),
        ("null", 403),
    ],
)
async def test_socket_is_only_for_our_own_pages(http: aiohttp.ClientSession, origin: str, status: int) -> None:
    headers = {
        "Origin": origin, "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }  # fmt: skip

    async with http.get("/ws", headers=headers) as response:
        assert response.status == status


async def test_plain_request_for_the_socket_is_refused(http: aiohttp.ClientSession) -> None:
    async with http.get("/ws") as response:
        assert (response.status, (await response.json())["field"]) == (400, "Upgrade")
