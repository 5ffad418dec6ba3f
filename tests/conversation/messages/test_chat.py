"""post_message and delete_message, through the front door."""

import pytest

from salon.conversation.models import ChatMessage
from salon.rooms.models import Place, Room, RoomAction
from salon.streams.models import StreamEvent
from tests.conversation.conversation import told_in

pytestmark = pytest.mark.django_db


def test_post_message(send, room, listener):
    answer = send("listener", "post_message", text="  Hello \n\n\n\n<b>there</b>  ")
    message = ChatMessage.objects.get(id=answer["id"])
    assert (message.text, message.author, answer["seq"]) == ("Hello\n\n<b>there</b>", listener, 1)
    kind, data = told_in(room)[-1]
    assert (kind, data["id"], data["text"], data["author"]["handle"]) == ("message_posted", message.id, message.text, "listener")


def test_post_message_that_is_empty_or_too_long(send):
    for text in (" ", "x" * 501):
        refused = send("listener", "post_message", text=text)
        assert (refused["code"], refused["field"]) == ("invalid", "text")
    assert "id" in send("listener", "post_message", text="x" * 500)


def test_post_message_of_somebody_outside(send):
    assert send("stranger", "post_message", text="Hello")["code"] == "not_in_room"


def test_post_message_while_silenced(send, room, listener):
    Place.objects.filter(person=listener).update(silenced=True)
    assert send("listener", "post_message", text="Hello")["code"] == "silenced"
    assert told_in(room) == []


def test_post_message_while_the_chat_is_off(send, room):
    Room.objects.update(chat=False)
    assert [send(who, "post_message", text="Hello")["code"] for who in ("listener", "hostess")] == ["switched_off"] * 2


def test_delete_message(send, room, listener):
    message = send("listener", "post_message", text="Oops")["id"]
    assert send("listener", "delete_message", message=message)["seq"] == 2
    assert told_in(room)[-1] == ("message_deleted", {"message": message})
    kept = ChatMessage.objects.get()
    assert (kept.text, kept.deleted_by, kept.deleted_at is None) == ("Oops", listener, False)
    assert not RoomAction.objects.filter(action="delete_message").exists()


def test_delete_message_by_a_moderator_is_logged_without_its_text(send, room, listener):
    message = send("listener", "post_message", text="Something rude")["id"]
    assert "seq" in send("moderator", "delete_message", message=message)
    entry = RoomAction.objects.get(action="delete_message")
    assert (entry.actor.handle, entry.target, entry.data, entry.logged) == ("moderator", listener, {"message": message}, True)
    told = StreamEvent.objects.get(stream=f"moderation/{room.id}", kind="action_logged")
    assert told.data["action"] == "delete_message"
    assert "rude" not in str(told.data)


def test_delete_message_of_somebody_else(send):
    message = send("speaker", "post_message", text="Mine")["id"]
    assert send("listener", "delete_message", message=message)["code"] == "not_a_moderator"
    assert send("stranger", "delete_message", message=message)["code"] == "not_in_room"
    assert ChatMessage.objects.get().deleted_at is None


def test_delete_message_that_is_not_there(send):
    message = send("listener", "post_message", text="Oops")["id"]
    send("listener", "delete_message", message=message)
    for who, missing in (("listener", message), ("moderator", message), ("moderator", "a" * 26)):
        refused = send(who, "delete_message", message=missing)
        assert (refused["code"], refused["field"]) == ("not_found", "message")


def test_delete_message_while_the_chat_is_off(send):
    message = send("listener", "post_message", text="Oops")["id"]
    Room.objects.update(chat=False)
    assert "seq" in send("moderator", "delete_message", message=message)
