from salon.common.ids import new_id
from tests.gateway.conftest import Connect, Running

HOST, ROOM = new_id(), new_id()


async def test_command_goes_to_web_in_the_persons_name(gateway: Running, connect: Connect) -> None:
    gateway.web.command_answer = (200, {"seq": 46})
    peer = await connect(HOST)

    answer = await peer.ask(type="command", room=ROOM, name="raise_hand", data={"a": 1}, key="once", seq=41)

    assert answer == {"type": "reply", "reply_to": 2, "data": {"seq": 46}}
    assert gateway.web.commands == [{"person": HOST, "room": ROOM, "name": "raise_hand", "data": {"a": 1}, "key": "once", "seq": 41}]


async def test_data_key_and_number_may_be_left_out(gateway: Running, connect: Connect) -> None:
    await (await connect(HOST)).ask(type="command", room=ROOM, name="mute")

    assert gateway.web.commands == [{"person": HOST, "room": ROOM, "name": "mute", "data": {}, "key": None, "seq": None}]


async def test_webs_refusal_comes_back_as_it_is(gateway: Running, connect: Connect) -> None:
    refusal = {"code": "hand_already_raised", "message": "Your hand is already up.", "field": None}
    gateway.web.command_answer = (409, refusal)

    assert await (await connect(HOST)).ask(type="command", room=ROOM, name="raise_hand") == {"type": "error", "reply_to": 2, **refusal}


async def test_visitor_commands_nothing(gateway: Running, connect: Connect) -> None:
    answer = await (await connect(visitor=new_id())).ask(type="command", room=ROOM, name="raise_hand")

    assert answer["code"] == "sign_in_required"
    assert gateway.web.commands == []


async def test_commands_are_carried_out_in_the_order_they_were_said(gateway: Running, connect: Connect) -> None:
    peer = await connect(HOST)

    ids = [await peer.say(type="command", room=ROOM, name=name) for name in ("raise_hand", "lower_hand", "raise_hand")]

    assert [(await peer.hear())["reply_to"] for _ in ids] == ids
    assert [command["name"] for command in gateway.web.commands] == ["raise_hand", "lower_hand", "raise_hand"]


async def test_ping_is_answered_while_a_command_waits_for_web(gateway: Running, connect: Connect) -> None:
    peer = await connect(HOST)
    gateway.web.pause_snapshots()
    await peer.say(type="watch", stream=f"room/{ROOM}")
    await gateway.web.is_paused.wait()

    assert (await peer.ask(type="ping"))["type"] == "pong"
    gateway.web.resume_snapshots()
    assert (await peer.hear())["type"] == "snapshot"
