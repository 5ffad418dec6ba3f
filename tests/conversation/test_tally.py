"""Votes as they stand: whole each time, and with every vote that an earlier tally had."""

import pytest

from salon.config.environment import environment
from salon.conversation.actions import polls, questions
from salon.conversation.tally import tally_of
from salon.streams.kinds import Watcher
from salon.streams.snapshots import Missed, Snapshot, open_stream
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(room, listener, speaker):
    """Two questions of the listener's, one of the speaker's."""
    by = (listener, listener, speaker)
    return [questions.ask_question(caller(author), room.id, f"Question {n}?").id for n, author in enumerate(by)]


@pytest.fixture
def poll(room, host):
    return polls.open_poll(caller(host), room.id, "Tea or coffee?", ["Tea", "Coffee"]).id


def tallies(said):
    assert {subject.split(".")[0] for subject, _ in said} <= {"tally"}
    return [tally for _, tally in said]


def test_each_vote_says_the_whole_tally(said, room, cast, asked, poll):
    host, moderator, speaker, listener = map(caller, cast)
    said.clear()
    questions.vote_question(host, room.id, asked[0])
    polls.vote_poll(speaker, room.id, poll, 1)
    questions.vote_question(listener, room.id, asked[2])
    questions.vote_question(moderator, room.id, asked[0])
    questions.unvote_question(listener, room.id, asked[2])
    assert tallies(said) == [
        {"votes": {asked[0]: 1}, "poll": {"id": poll, "counts": [0, 0]}},
        {"votes": {asked[0]: 1}, "poll": {"id": poll, "counts": [0, 1]}},
        {"votes": {asked[0]: 1, asked[2]: 1}, "poll": {"id": poll, "counts": [0, 1]}},
        {"votes": {asked[0]: 2, asked[2]: 1}, "poll": {"id": poll, "counts": [0, 1]}},
        {"votes": {asked[0]: 2}, "poll": {"id": poll, "counts": [0, 1]}},
    ]
    assert said[0][0] == f"tally.{room.id}"


def test_tally_has_listed_questions_and_the_open_poll_alone(said, room, cast, asked, poll):
    host, _, speaker, listener = map(caller, cast)
    questions.vote_question(host, room.id, asked[0])
    questions.vote_question(speaker, room.id, asked[1])
    said.clear()
    questions.close_question(listener, room.id, asked[0])
    polls.close_poll(host, room.id, poll)
    assert tallies(said) == [
        {"votes": {asked[1]: 1}, "poll": {"id": poll, "counts": [0, 0]}},
        {"votes": {asked[1]: 1}, "poll": None},
    ]


def test_opening_a_poll_says_that_nobody_has_voted(said, room, poll):
    assert tallies(said) == [{"votes": {}, "poll": {"id": poll, "counts": [0, 0]}}]


def test_a_refused_vote_says_nothing(said, room, host, asked, send):
    questions.vote_question(caller(host), room.id, asked[0])
    said.clear()
    assert send("hostess", "vote_question", question=asked[0])["code"] == "already_voted"
    assert said == []


@pytest.mark.django_db(transaction=True)
def test_whoever_begins_to_watch_or_comes_back_gets_the_tally_too(room, host, listener, asked):
    questions.vote_question(caller(host), room.id, asked[0])
    tally = {"votes": {asked[0]: 1}, "poll": None}
    watcher = Watcher(listener.id, None)
    begun = open_stream(watcher, f"conversation/{room.id}", None)
    assert isinstance(begun, Snapshot)
    back = open_stream(watcher, f"conversation/{room.id}", 1)
    assert isinstance(back, Missed)
    assert begun.tally == back.tally == tally == tally_of(room.id)
    assert open_stream(watcher, f"room/{room.id}", None).tally is None


@pytest.mark.django_db(transaction=True)
def test_the_gateway_gets_the_tally_with_the_answer(room, host, asked, client):
    questions.vote_question(caller(host), room.id, asked[0])
    headers = {"X-Salon-Internal": environment().internal_secret}
    for after, other in ((None, "state"), (2, "events")):
        answer = client.post(
            "/internal/snapshot",
            {"stream": f"conversation/{room.id}", "person": host.id, "after": after},
            content_type="application/json",
            headers=headers,
        )
        assert answer.json().keys() == {"seq", "tally", other}
        assert answer.json()["tally"] == {"votes": {asked[0]: 1}, "poll": None}
