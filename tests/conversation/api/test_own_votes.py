"""GET …/questions and …/poll: what a client cannot know from the streams after a reload."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from salon.conversation.actions import polls, questions
from salon.rooms.models import Room
from tests.rooms.people import Api, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(room, listener, speaker, host, moderator):
    """Three questions: of no vote, one, and two votes."""
    ids = [questions.ask_question(caller(by), room.id, f"Question {n}?").id for n, by in enumerate((listener, listener, speaker))]
    for question, voters in zip(ids, ([], [host], [host, moderator]), strict=True):
        for voter in voters:
            questions.vote_question(caller(voter), room.id, question)
    return ids


def listed(person, room):
    return [
        (entry["id"], entry["votes"], entry["mine"], entry["voted"])
        for entry in Api(person).get(f"rooms/{room.id}/questions").json()["questions"]
    ]


def test_questions_say_what_is_mine_and_what_i_voted_for(room, asked, listener, moderator):
    first, second, third = asked
    assert listed(listener, room) == [(third, 2, False, False), (second, 1, True, False), (first, 0, True, False)]
    assert listed(moderator, room) == [(third, 2, False, True), (second, 1, False, False), (first, 0, False, False)]
    assert listed(None, room) == [(third, 2, False, False), (second, 1, False, False), (first, 0, False, False)]


def test_questions_are_shaped_as_in_the_stream_and_closed_ones_are_gone(room, asked, host, listener):
    questions.close_question(caller(host), room.id, asked[2])
    entry = Api(listener).get(f"rooms/{room.id}/questions").json()["questions"][0]
    assert entry.keys() == {"id", "author", "text", "asked_at", "state", "votes", "mine", "voted"}
    assert (entry["id"], entry["author"]["handle"], entry["state"]) == (asked[1], "listener", "open")


def test_poll_says_whether_i_voted_and_not_for_what(room, host, listener):
    assert Api(listener).get(f"rooms/{room.id}/poll").json() == {"poll": None, "counts": None, "voted": False}
    poll = polls.open_poll(caller(host), room.id, "Now?", ["Yes", "No"]).id
    polls.vote_poll(caller(listener), room.id, poll, 1)
    mine, others, visitors = (Api(who).get(f"rooms/{room.id}/poll").json() for who in (listener, host, None))
    assert (mine["poll"]["id"], mine["poll"]["counts"], mine["counts"], mine["voted"]) == (poll, None, [0, 1], True)
    assert others == visitors == {**mine, "voted": False}
    polls.close_poll(caller(host), room.id, poll)
    closed = Api(listener).get(f"rooms/{room.id}/poll").json()
    assert (closed["poll"]["closed"], closed["poll"]["counts"], closed["counts"], closed["voted"]) == (True, [0, 1], [0, 1], True)


@pytest.mark.parametrize("what", ["questions", "poll"])
def test_own_votes_are_for_whoever_may_enter(room, stranger, listener, what):
    Room.objects.update(visibility="closed")
    assert [Api(who).get(f"rooms/{room.id}/{what}").status_code for who in (listener, stranger, None)] == [200, 404, 404]


def test_questions_take_as_many_queries_however_many_there_are(room, listener, speaker):
    api = Api(listener)
    api.get("me")  # notes the token's first use

    def queries():
        with CaptureQueriesContext(connection) as captured:
            api.get(f"rooms/{room.id}/questions")
        return len(captured)

    questions.ask_question(caller(speaker), room.id, "One?")
    of_one = queries()
    for by in (speaker, listener):
        questions.ask_question(caller(by), room.id, "Another?")
    assert queries() == of_one
