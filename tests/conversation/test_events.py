"""Snapshot n plus events n+1…m equals snapshot m, exactly: for every command, in any order, and also beyond the newest hundred."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salon.common.errors import SalonError
from salon.conversation.actions import chat, links, polls, questions
from salon.conversation.domain import chat as chat_rules
from salon.conversation.enums import TakenHow
from salon.conversation.models import ChatMessage, Link, Poll, Question
from salon.rooms.actions.attendance import enter_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.domain import apply as reducers
from salon.rooms.errors import SwitchedOff
from salon.rooms.models import Place, Room
from salon.streams.kinds import Watcher
from tests.rooms.people import caller
from tests.rooms.test_events import Watch

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = {
    "message_posted", "message_deleted", "question_asked", "question_changed", "question_closed", "link_pinned", "link_unpinned",
    "poll_opened", "poll_closed",
}  # fmt: skip


@pytest.fixture
def few_shown(monkeypatch):
    """As if a watcher kept four messages: what happens at the hundredth then happens often."""
    monkeypatch.setattr(chat_rules, "SHOWN", 4)
    monkeypatch.setattr(reducers, "MESSAGES_KEPT", 4)


def newest(model, room, back):
    """The id of one that there is, counted from the newest; else of none."""
    ids = model.objects.filter(room=room).order_by("-seq").values_list("id", flat=True)
    return ids[back] if back < len(ids) else "a" * 26


def act(room, name, who, back):
    """One command, as one of the people; `back` says on what, counted from the newest."""
    match name:
        case "post_message":
            chat.post_message(who, room.id, f"Message {back}")
        case "delete_message":
            chat.delete_message(who, room.id, newest(ChatMessage, room, back))
        case "ask_question":
            questions.ask_question(who, room.id, f"Question {back}?")
        case "vote_question":
            questions.vote_question(who, room.id, newest(Question, room, back))
        case "take_question":
            questions.take_question(who, room.id, newest(Question, room, back), list(TakenHow)[back % 2])
        case "close_question":
            questions.close_question(who, room.id, newest(Question, room, back))
        case "pin_link":
            links.pin_link(who, room.id, f"https://example.com/{back}", "")
        case "unpin_link":
            links.unpin_link(who, room.id, newest(Link, room, back))
        case "open_poll":
            polls.open_poll(who, room.id, f"Poll {back}?", ["Yes", "No"])
        case "vote_poll":
            polls.vote_poll(who, room.id, newest(Poll, room, 0), back % 2)
        case "close_poll":
            polls.close_poll(who, room.id, newest(Poll, room, 0))


NAMES = [
    "post_message", "delete_message", "ask_question", "vote_question", "take_question", "close_question", "pin_link", "unpin_link",
    "open_poll", "vote_poll", "close_poll",
]  # fmt: skip
# Messages and moderators more often than the rest: there is more to go wrong with them.
STEP = st.tuples(st.sampled_from(["post_message"] * 6 + ["delete_message"] * 3 + NAMES), st.sampled_from([0, 0, 1, 2]), st.integers(0, 5))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=15, max_size=30))
def test_conversation_tells_exactly_what_changed(few_shown, cast, steps):
    """For who watches from the beginning, and for who came later."""
    host, _, speaker, listener = cast
    room = open_room(host, title="x", topic="", language="en")
    for somebody in (host, speaker, listener):
        enter_room(room, somebody)
    people = [caller(somebody) for somebody in (host, speaker, listener)]
    watches = []
    for number, (name, who, back) in enumerate(steps):
        if number % 10 == 0:
            watches.append(Watch(Watcher(listener.id, None), f"conversation/{room.id}"))
        with suppress(SalonError):
            act(room, name, people[who], back)
    for watch in watches:
        watch.check(str(steps))


def test_every_kind_of_event_is_told(few_shown, room, host, listener):
    watch = Watch(Watcher(listener.id, None), f"conversation/{room.id}")
    for name, who, back in (
        ("post_message", listener, 0), ("delete_message", host, 0), ("ask_question", listener, 0), ("take_question", host, 0),
        ("take_question", host, 1), ("ask_question", listener, 0), ("take_question", host, 0), ("close_question", host, 0),
        ("pin_link", host, 0), ("unpin_link", host, 0), ("open_poll", host, 0), ("vote_poll", listener, 1), ("close_poll", host, 0),
    ):  # fmt: skip
        if (name, back) == ("take_question", 1):
            Place.objects.filter(person=listener).update(invited_at=None, invited_by=None)
            questions.take_question(caller(host), room.id, newest(Question, room, 0), TakenHow.READ)
        else:
            act(room, name, caller(who), back)
        watch.check(name)
    assert watch.kinds == KINDS == reducers.KINDS["conversation"]


def test_snapshot_shows_the_newest_hundred_and_never_more_for_a_deletion(room, host):
    for n in range(chat_rules.SHOWN + 3):
        chat.post_message(caller(host), room.id, str(n))
    watch = Watch(Watcher(host.id, None), f"conversation/{room.id}")
    assert [message["text"] for message in watch.state["messages"]] == [str(n) for n in range(3, chat_rules.SHOWN + 3)]
    chat.delete_message(caller(host), room.id, newest(ChatMessage, room, 0))
    watch.check("delete_message")
    assert [message["text"] for message in watch.state["messages"]] == [str(n) for n in range(3, chat_rules.SHOWN + 2)]


def test_deleted_message_is_in_no_snapshot(room, host):
    posted = chat.post_message(caller(host), room.id, "Something rude")
    chat.delete_message(caller(host), room.id, posted.id or "")
    assert "rude" not in str(Watch(Watcher(host.id, None), f"conversation/{room.id}").state)


def test_refused_command_tells_nothing(room, listener):
    watch = Watch(Watcher(listener.id, None), f"conversation/{room.id}")
    Room.objects.update(chat=False)
    with pytest.raises(SwitchedOff):
        chat.post_message(caller(listener), room.id, "Hello")
    watch.check("a refused post_message")
    assert watch.seq == 0
