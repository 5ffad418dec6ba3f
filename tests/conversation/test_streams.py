"""Who may watch what is written in a room: whoever may enter it."""

import pytest

from salon.accounts.errors import SignInRequired
from salon.common.errors import NotFound
from salon.conversation.actions import chat, questions
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.models import Room
from salon.streams.events import events_after
from salon.streams.kinds import Watcher, kind_named
from tests.rooms.conftest import without_visitors  # noqa: F401
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db
VISITOR = Watcher(None, "v" * 26)


def watches(watcher, room):
    kind_named("conversation").admit(watcher, room.id)
    return True


def test_conversation_is_for_whoever_may_enter(room, host, stranger, listener):
    assert watches(VISITOR, room)
    Room.objects.update(visibility="closed")
    for outsider in (VISITOR, Watcher(stranger.id, None)):
        with pytest.raises(NotFound):
            watches(outsider, room)
    assert watches(Watcher(listener.id, None), room)
    remove_person(caller(host), room.id, listener.id, reason="", minutes=None)
    with pytest.raises(NotFound):
        watches(Watcher(listener.id, None), room)


@pytest.mark.usefixtures("without_visitors")
def test_visitors_watch_nothing_where_the_operator_lets_none_listen(room):
    with pytest.raises(SignInRequired):
        watches(VISITOR, room)


def test_what_was_taken_back_is_not_told_again_to_who_resumes(room, host, listener):
    """Events are kept for a while; whoever says a number from before a message would otherwise read what was deleted."""
    at = caller(listener), room.id
    message, question = chat.post_message(*at, "Insult").id, questions.ask_question(*at, "Insult?").id
    kept = chat.post_message(*at, "Kind").id
    chat.delete_message(caller(host), room.id, message)
    questions.close_question(caller(host), room.id, question)
    told = [event["data"] for event in events_after(f"conversation/{room.id}", 0)]
    assert [(data["id"], data["text"]) for data in told[:3]] == [(message, ""), (question, ""), (kept, "Kind")]
    assert told[3:] == [{"message": message}, {"question": question}]
