"""Who may watch what is written in a room: whoever may enter it."""

import pytest

from salon.accounts.errors import SignInRequired
from salon.common.errors import NotFound
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.models import Room
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
