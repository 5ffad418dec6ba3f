"""A message costs the same however much was written, and takes no lock that a stage command needs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from salon.conversation.actions import chat, polls
from salon.conversation.queries import conversation_of
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db


def queries_of(act):
    with CaptureQueriesContext(connection) as captured:
        act()
    return [query["sql"] for query in captured]


def test_post_message_takes_as_many_queries_however_many_were_written(room, host):
    def post():
        return queries_of(lambda: chat.post_message(caller(host), room.id, "Hello"))

    first = len(post())
    for _ in range(5):
        chat.post_message(caller(host), room.id, "Hello")
    assert len(post()) == first


def test_post_message_locks_ones_own_place_and_never_the_room(room, host):
    locks = [sql for sql in queries_of(lambda: chat.post_message(caller(host), room.id, "Hello")) if "FOR NO KEY UPDATE" in sql]
    assert len(locks) == 1
    assert 'FROM "rooms_place"' in locks[0]
    assert "rooms_room" not in locks[0]


def test_vote_poll_locks_ones_own_place_and_the_poll_and_never_the_room(room, host, listener):
    poll = polls.open_poll(caller(host), room.id, "Now?", ["Yes", "No"]).id
    locks = [sql for sql in queries_of(lambda: polls.vote_poll(caller(listener), room.id, poll, 0)) if "FOR NO KEY UPDATE" in sql]
    assert ["rooms_place" in locks[0], "conversation_poll" in locks[1], len(locks)] == [True, True, 2]


def test_snapshot_takes_four_queries_however_much_was_written(room, host, listener):
    for _ in range(2):
        assert len(queries_of(lambda: conversation_of(room.id))) == 4
        for by in (host, listener, host):
            chat.post_message(caller(by), room.id, "Hello")
