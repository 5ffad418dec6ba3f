"""A flood hits who makes it, at the speed that is documented, and nobody else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.conversation import rate_limits
from salon.conversation.models import ChatMessage
from salon.rooms.models import Room
from tests.conversation.conversation import FIELDS
from tests.rooms.people import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

    for limit in (rate_limits.MESSAGES, rate_limits.QUESTIONS, rate_limits.VOTES, rate_limits.REACTIONS):
        monkeypatch.setattr(limit, "_clock", lambda: Clock.now)
    return Clock


@pytest.mark.parametrize(
    ("name", "burst", "wait_secs"),
    [
        ("post_message", 5, 1), ("ask_question", 3, 10), ("react", 6, 0.5),
        ("vote_question", 10, 0.5), ("unvote_question", 10, 0.5), ("vote_poll", 10, 0.5),
    ],
)  # fmt: skip
def test_a_flood_waits_and_nobody_else_does(send, clock, name, burst, wait_secs):
    """The hostess moderates: limits are for everybody."""

    def codes(who, times):
        return [send(who, name, **FIELDS[name]).get("code") for _ in range(times)]

    assert "too_many_requests" not in codes("hostess", burst)
    assert codes("hostess", 2) == ["too_many_requests"] * 2
    assert "too_many_requests" not in codes("listener", 1)
    clock.now = wait_secs
    assert "too_many_requests" not in codes("hostess", 1)
    assert codes("hostess", 1) == ["too_many_requests"]


def test_slow_mode_over_the_api_says_when_to_write_again(room, listener):
    Room.objects.update(slow_mode_secs=300)
    api = Api(listener)
    first = api.command(room.id, "post_message", text="One").json()
    again = api.command(room.id, "post_message", text="Two")
    assert (again.status_code, again.json()["code"]) == (429, "slow_mode")
    assert int(again["Retry-After"]) in (299, 300)
    api.command(room.id, "delete_message", message=first["id"])
    assert api.command(room.id, "post_message", text="Two").json()["code"] == "slow_mode"


def test_slow_mode_counts_from_ones_own_last_message_and_spares_moderators(send, listener):
    Room.objects.update(slow_mode_secs=30)
    assert "id" in send("listener", "post_message", text="One")
    assert "id" in send("speaker", "post_message", text="One")
    assert ["id" in send("moderator", "post_message", text="One") for _ in range(3)] == [True] * 3
    ChatMessage.objects.filter(author=listener).update(posted_at=timezone.now() - timedelta(seconds=30))
    assert "id" in send("listener", "post_message", text="Two")
    assert send("listener", "post_message", text="Three")["code"] == "slow_mode"
