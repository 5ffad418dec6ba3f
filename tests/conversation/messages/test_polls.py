"""open_poll, vote_poll and close_poll, through the front door."""

import pytest

from salon.conversation.models import Poll, PollVoter
from salon.rooms.models import CommandReceipt, Room, RoomAction
from tests.conversation.conversation import told_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def poll(send):
    return send("hostess", "open_poll", question="Tea or coffee?", options=["Tea", "Coffee"])["id"]


def test_open_poll(send, room):
    answer = send("moderator", "open_poll", question=" Tea  or coffee? ", options=[" Tea", "Coffee "])
    assert answer == {"seq": 1, "id": Poll.objects.get().id}
    kind, data = told_in(room)[-1]
    assert (kind, data["question"], data["options"], data["counts"], data["closed"]) == (
        "poll_opened", "Tea or coffee?", ["Tea", "Coffee"], None, False
    )  # fmt: skip
    assert RoomAction.objects.get(action="open_poll").data == {"poll": answer["id"]}


def test_open_poll_while_one_is_open(send, poll):
    assert send("moderator", "open_poll", question="Now?", options=["Yes", "No"])["code"] == "poll_open"
    send("moderator", "close_poll", poll=poll)
    assert "id" in send("moderator", "open_poll", question="Now?", options=["Yes", "No"])


@pytest.mark.parametrize(
    ("question", "options", "field"),
    [
        ("", ["Yes", "No"], "question"),
        ("x" * 201, ["Yes", "No"], "question"),
        ("Now?", ["Yes"], "options"),
        ("Now?", ["1", "2", "3", "4", "5"], "options"),
        ("Now?", ["Yes", " yes "], "options"),
        ("Now?", ["Yes", ""], "options"),
        ("Now?", ["Yes", "x" * 81], "options"),
        ("Now?", "Yes", "options"),
    ],
)
def test_open_poll_that_cannot_be_asked(send, question, options, field):
    refused = send("hostess", "open_poll", question=question, options=options)
    assert (refused["code"], refused["field"]) == ("invalid", field)


def test_open_poll_refused(send):
    for who, code in (("speaker", "not_a_moderator"), ("stranger", "not_in_room")):
        assert send(who, "open_poll", question="Now?", options=["Yes", "No"])["code"] == code
    Room.objects.update(polls=False)
    assert send("hostess", "open_poll", question="Now?", options=["Yes", "No"])["code"] == "switched_off"


def test_vote_poll(send, poll):
    assert send("listener", "vote_poll", poll=poll, option=1) == {"seq": 1}
    assert send("listener", "vote_poll", poll=poll, option=0)["code"] == "already_voted"
    assert send("hostess", "vote_poll", poll=poll, option=0) == {"seq": 1}
    assert Poll.objects.get().counts == [1, 1]


def test_vote_poll_writes_down_who_voted_and_not_for_what(send, poll, listener):
    send("listener", "vote_poll", poll=poll, option=1)
    assert list(PollVoter.objects.values()) == [{"id": PollVoter.objects.get().id, "poll_id": poll, "person_id": listener.id}]
    assert not RoomAction.objects.filter(action="vote_poll").exists()
    assert not CommandReceipt.objects.exists()


@pytest.mark.parametrize("option", [-1, 2, "x"])
def test_vote_poll_for_what_is_no_option(send, poll, option):
    refused = send("listener", "vote_poll", poll=poll, option=option)
    assert (refused["code"], refused["field"]) == ("invalid", "option")
    assert not PollVoter.objects.exists()


def test_vote_poll_refused(send, poll):
    assert send("stranger", "vote_poll", poll=poll, option=0)["code"] == "not_in_room"
    missing = send("listener", "vote_poll", poll="a" * 26, option=0)
    assert (missing["code"], missing["field"]) == ("not_found", "poll")
    Room.objects.update(polls=False)
    assert send("listener", "vote_poll", poll=poll, option=0)["code"] == "switched_off"
    Room.objects.update(polls=True)
    send("hostess", "close_poll", poll=poll)
    assert send("listener", "vote_poll", poll=poll, option=0)["code"] == "poll_closed"
    assert Poll.objects.get().counts == [0, 0]


def test_close_poll(send, room, poll):
    send("listener", "vote_poll", poll=poll, option=1)
    assert send("speaker", "close_poll", poll=poll)["code"] == "not_a_moderator"
    Room.objects.update(polls=False)
    assert send("moderator", "close_poll", poll=poll) == {"seq": 2}
    kind, data = told_in(room)[-1]
    assert (kind, data["id"], data["counts"], data["closed"]) == ("poll_closed", poll, [0, 1], True)
    assert RoomAction.objects.get(action="close_poll").data == {"poll": poll}
    refused = send("moderator", "close_poll", poll=poll)
    assert (refused["code"], refused["field"]) == ("poll_closed", "poll")
