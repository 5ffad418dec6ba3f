"""What a block does in rooms: out of those that the blocker moderates, and out of the hallway of who was blocked."""

import pytest

from salon.rooms import receivers
from salon.rooms.actions.attendance import enter_room, leave_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.actions.truth import confirm_connections
from salon.rooms.enums import Visibility
from salon.rooms.models import MediaSession, Place, Removal, Room, RoomAction
from salon.rooms.policy import policy_of
from salon.social.actions.blocks import block, unblock
from salon.streams.kinds import Watcher, kind_named
from salon.streams.models import StreamEvent
from salon.streams.snapshots import Missed, Snapshot, open_stream
from tests.rooms.people import Api, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def blocks(django_capture_on_commit_callbacks):
    """Somebody blocks somebody, and what follows from it happens."""

    def act(blocker, blocked, what=block):
        with django_capture_on_commit_callbacks(execute=True):
            what(blocker, blocked.handle)

    return act


@pytest.fixture
def published(monkeypatch):
    sent = []
    monkeypatch.setattr(receivers, "publish_on_commit", lambda subject, message: sent.append((subject, message)))
    return sent


def is_in(room, person):
    return Place.objects.filter(room=room, person=person, left_at=None).exists()


def told(person):
    return StreamEvent.objects.filter(stream=f"person/{person.id}", kind="place_changed").latest("seq").data


@pytest.mark.parametrize(
    ("blocker", "blocked"),
    [("host", "listener"), ("host", "speaker"), ("host", "moderator"), ("moderator", "listener"), ("moderator", "speaker")],
)
def test_whom_a_moderator_blocks_is_out_of_the_room_like_somebody_removed(room, request, blocker, blocked, blocks):
    one, other = request.getfixturevalue(blocker), request.getfixturevalue(blocked)
    blocks(one, other)
    assert not is_in(room, other)
    assert policy_of(Room.objects.get())["epochs"] == {other.id: 1}
    assert other.id not in [speaker["person"] for speaker in policy_of(room)["speakers"]]
    data = told(other)
    assert (data["place"], data["cause"], data["by"]["handle"], data["reason"]) == (None, "remove_person", one.handle, None)
    assert Api(other).get(f"rooms/{room.id}").status_code == 404


def test_removal_after_a_block_leaves_no_trace_of_the_block(room, host, listener, blocks):
    blocks(host, listener)
    assert not Removal.objects.exists()
    action = RoomAction.objects.latest("id")
    assert (action.action, action.actor, action.target, action.reason, action.data, action.logged) == (
        "remove_person",
        host,
        listener,
        "",
        {},
        True,
    )
    assert not StreamEvent.objects.filter(kind="removal_added").exists()


def test_who_was_put_out_by_a_block_may_come_back_when_it_is_lifted(room, host, listener, blocks):
    blocks(host, listener)
    blocks(host, listener, unblock)
    assert Api(listener).get(f"rooms/{room.id}").status_code == 200


@pytest.mark.parametrize(
    ("blocker", "blocked"), [("moderator", "host"), ("speaker", "listener"), ("listener", "speaker"), ("speaker", "moderator")]
)
def test_block_puts_nobody_out_whom_the_blocker_may_not_remove(room, request, blocker, blocked, blocks):
    one, other = request.getfixturevalue(blocker), request.getfixturevalue(blocked)
    actions = RoomAction.objects.count()
    blocks(one, other)
    assert is_in(room, other)
    assert RoomAction.objects.count() == actions
    assert Api(other).get(f"rooms/{room.id}").status_code == 200


def test_block_by_a_moderator_who_is_elsewhere_puts_nobody_out(room, moderator, listener, blocks):
    leave_room(caller(moderator), room.id)
    blocks(moderator, listener)
    assert is_in(room, listener)


def test_block_puts_out_of_every_room_that_the_blocker_runs_and_of_no_other(room, host, person, listener, blocks):
    mine = open_room(host, title="Mine too", language="en")
    other = open_room(person("somebody"), title="Not mine", language="en")
    for place in (mine, other):
        enter_room(place, listener)
    enter_room(other, host)
    blocks(host, listener)
    assert [is_in(place, listener) for place in (room, mine, other)] == [False, False, True]


def test_sound_that_connects_after_a_block_is_closed_again(room, speaker, listener, media_process, blocks):
    api = Api(listener)
    api.sound(room.id, "listen")
    Place.objects.filter(person=listener).update(left_at="2026-01-01T00:00:00Z")
    blocks(speaker, listener)
    session = MediaSession.objects.get(person=listener)
    confirm_connections([session.id])
    assert not is_in(room, listener)
    assert media_process.closed == [(session.id, listener.id)]


def test_gateways_are_told_by_whom_somebody_is_blocked(cast, published, blocks):
    host, _, speaker, listener = cast
    blocks(host, listener)
    blocks(speaker, listener)
    blocks(host, listener, unblock)
    subject = f"blocks.{listener.id}"
    assert published == [
        (subject, {"blocked_by": [host.id]}),
        (subject, {"blocked_by": sorted([host.id, speaker.id])}),
        (subject, {"blocked_by": [speaker.id]}),
    ]


def seen_by(person):
    opened = open_stream(Watcher(person.id if person else None, None if person else "v" * 26), "hallway", None)
    assert isinstance(opened, Snapshot)
    return [card["title"] for card in opened.state["rooms"]]


@pytest.mark.django_db(transaction=True)
def test_hallway_stream_leaves_out_rooms_of_who_blocked_one(room, cast, stranger):
    """Off the stage too: the moderator is in the audience."""
    host, moderator, speaker, listener = cast
    for blocker, hidden in ((host, True), (moderator, True), (speaker, True), (listener, False)):
        block(blocker, stranger.handle)
        assert seen_by(stranger) == ([] if hidden else ["Evening talk"])
        assert seen_by(None) == seen_by(listener) == ["Evening talk"]
        unblock(blocker, stranger.handle)


@pytest.mark.django_db(transaction=True)
def test_who_was_blocked_gets_the_hallway_whole_and_never_the_events_that_are_for_everybody(room, host, listener, stranger):
    newest = open_stream(Watcher(stranger.id, None), "hallway", None).seq
    assert isinstance(open_stream(Watcher(stranger.id, None), "hallway", newest - 1), Missed)
    block(host, stranger.handle)
    assert open_stream(Watcher(stranger.id, None), "hallway", newest - 1) == Snapshot(newest, {"rooms": []})
    assert isinstance(open_stream(Watcher(listener.id, None), "hallway", newest - 1), Missed)


def test_hallway_of_who_was_blocked_takes_a_fixed_number_of_queries(room, host, person, stranger, django_assert_num_queries):
    block(host, stranger.handle)
    state = kind_named("hallway").own_state
    for n in range(3):
        open_room(person(f"host{n}"), title="x", language="en")
        with django_assert_num_queries(3):
            assert len(state(Watcher(stranger.id, None), "")["rooms"]) == n + 1


def test_private_room_is_not_in_the_streams_hallway(room, listener):
    Room.objects.update(visibility=Visibility.SOCIAL)
    assert kind_named("hallway").state("") == {"rooms": []}
