"""A day after the end of a room nothing of what was written in it is left."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.conversation import tasks
from salon.conversation.actions import chat, links, polls, questions
from salon.conversation.models import ChatMessage, Link, Poll, PollVoter, Question, QuestionVote
from salon.conversation.queries import conversation_of
from salon.rooms.actions.end_room import end_room
from salon.rooms.models import Room, RoomAction
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db
MODELS = (ChatMessage, Link, Poll, PollVoter, Question, QuestionVote)


@pytest.fixture
def written(room, host, listener):
    message = chat.post_message(caller(listener), room.id, "Something rude").id
    chat.delete_message(caller(host), room.id, message)
    chat.post_message(caller(listener), room.id, "Sorry")
    question = questions.ask_question(caller(listener), room.id, "Why?").id
    questions.vote_question(caller(host), room.id, question)
    links.pin_link(caller(host), room.id, "https://example.com/", "")
    polls.vote_poll(caller(host), room.id, polls.open_poll(caller(host), room.id, "Now?", ["Yes", "No"]).id, 0)
    return room


def rows():
    return [model.objects.count() for model in MODELS]


def test_what_was_written_outlasts_the_room_for_a_day(written, host):
    end_room(caller(host), written.id)
    Room.objects.update(ended_at=timezone.now() - timedelta(hours=23, minutes=59))
    tasks.forget_conversations(0)
    assert rows() == [2, 1, 1, 1, 1, 1]
    assert [message["text"] for message in conversation_of(written.id)["messages"]] == ["Sorry"]


def test_what_was_written_goes_a_day_after_the_end(written, host):
    end_room(caller(host), written.id)
    Room.objects.update(ended_at=timezone.now() - timedelta(days=1, minutes=1))
    tasks.forget_conversations(0)
    assert rows() == [0] * 6
    assert conversation_of(written.id) == {"messages": [], "questions": [], "links": [], "poll": None}
    log = RoomAction.objects.filter(logged=True)
    assert log.filter(action="delete_message").exists()
    assert not any(word in str(entry.data) for entry in log for word in ("rude", "Sorry", "Why", "Now", "example"))


def test_what_was_written_in_a_live_room_stays(written):
    Room.objects.update(opened_at=timezone.now() - timedelta(days=3))
    tasks.forget_conversations(0)
    assert rows() == [2, 1, 1, 1, 1, 1]
