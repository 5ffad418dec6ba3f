"""react, through the front door."""

import pytest

from salon.rooms.models import Place, Room
from tests.conversation.conversation import told_in

pytestmark = pytest.mark.django_db


def test_react(send, room, listener, said):
    send("speaker", "post_message", text="Listen!")
    assert send("listener", "react", kind="clap") == {"seq": 1}
    assert said == [(f"reaction.{room.id}", {"person": listener.id, "kind": "clap"})]
    assert [kind for kind, _ in told_in(room)] == ["message_posted"]


def test_react_while_silenced(send, listener, said):
    Place.objects.filter(person=listener).update(silenced=True)
    assert send("listener", "react", kind="wow") == {"seq": 0}
    assert len(said) == 1


def test_react_refused(send, said):
    assert send("stranger", "react", kind="clap")["code"] == "not_in_room"
    unknown = send("listener", "react", kind="boo")
    assert (unknown["code"], unknown["field"]) == ("invalid", "kind")
    Room.objects.update(reactions=False)
    assert [send(who, "react", kind="clap")["code"] for who in ("listener", "hostess")] == ["switched_off"] * 2
    assert said == []
