"""The keeper with messages in and a clock by hand; the database is real."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.common.ids import new_id
from salon.rooms.actions import end_room as ending
from salon.rooms.actions.attendance import enter_room, leave_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.models import LinePlace, MediaSession, Place, Room
from salon.streams.models import StreamEvent
from salon.worker.attendance import GRACE_SECS, NODE_SILENCE_SECS
from salon.worker.keeper import AUDIENCE_SECS, RECONCILE_SECS, Keeper
from salon.worker.talk_times import COUNT_SECS
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db


class Kept:
    """A keeper, a media node that talks to it, and the time."""

    def __init__(self):
        self.now = 1000.0
        self.keeper = Keeper(self.now)
        self.connected = {}

    def pass_time(self, seconds):
        """In steps of a second, as the task does it, with a roster every five."""
        for _ in range(int(seconds)):
            self.now += 1
            if self.now % 5 == 0:
                self.roster()
            self.keeper.round(self.now)

    def roster(self):
        rooms = {}
        for (room_id, owner, direction), _ in self.connected.items():
            rooms.setdefault(room_id, {"listen": [], "speak": []})[direction].append(owner)
        self.keeper.hear("roster", {"node": "n", "started_at": 0, "rooms": rooms}, self.now)

    def session(self, room, owner, direction="listen"):
        session = MediaSession.objects.create(
            id=new_id(), room=room, direction=direction, opened_at=timezone.now(),
            person=None if isinstance(owner, str) else owner, visitor=owner if isinstance(owner, str) else None,
        )  # fmt: skip
        return session.id

    def connect(self, room, owner, direction="listen"):
        session = self.session(room, owner, direction)
        self.connected[room.id, owner_id(owner), direction] = session
        self.tell(room, owner, kind="connected", session=session, direction=direction, reason=None)
        return session

    def close(self, room, owner, direction="listen", reason="peer_closed"):
        session = self.connected.pop((room.id, owner_id(owner), direction))
        self.tell(room, owner, kind="closed", session=session, direction=direction, reason=reason)
        return session

    def tell(self, room, owner, **message):
        self.keeper.hear(f"truth.{room.id}", {"node": "n", "person": owner_id(owner), **message}, self.now)

    def round(self):
        self.keeper.round(self.now)


def owner_id(owner):
    return owner if isinstance(owner, str) else owner.id


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def held(kept, room, cast):
    """Everybody of the cast has sound, and the keeper has long been awake."""
    for somebody in cast:
        kept.connect(room, somebody)
    kept.pass_time(NODE_SILENCE_SECS)
    age_sessions()
    return kept


def age_sessions():
    """The clock by hand is the keeper's alone; this lets the database's go on."""
    MediaSession.objects.update(opened_at=timezone.now() - timedelta(seconds=NODE_SILENCE_SECS))


def is_in(person):
    return Place.objects.get(person=person).left_at is None


def told_last(person):
    event = StreamEvent.objects.filter(stream=f"person/{person.id}").latest("seq")
    return event.kind, event.data


def reload(room):
    return Room.objects.get(id=room.id)


def test_connection_makes_a_place(held, room, stranger):
    held.connect(room, stranger)
    held.round()
    assert is_in(stranger)


def test_connection_marks_the_room_entered(kept, host):
    room = open_room(host, title="x", topic="", language="en")
    assert reload(room).entered_at is None
    kept.connect(room, host)
    kept.round()
    assert reload(room).entered_at is not None
    assert Place.objects.get().entered_at is not None


def test_connection_alone_is_no_speech(held, room, speaker):
    held.connect(room, speaker, "speak")
    held.round()
    assert not Place.objects.filter(has_spoken=True).exists()


def test_keeper_counts_who_has_talked(held, room, speaker):
    message = {"node": "n", "started_at": "2026-11-23T05:00:00Z", "talked_ms": {speaker.id: 61_900}}
    held.keeper.hear(f"talk.{room.id}", message, held.now)
    held.pass_time(COUNT_SECS)
    assert (Place.objects.get(person=speaker).talked_ms, Place.objects.get(person=speaker).has_spoken) == (61_900, True)


def test_connection_of_a_visitor_makes_no_place(held, room):
    before = Place.objects.count()
    held.connect(room, "v" * 26)
    held.round()
    assert Place.objects.count() == before


def test_connection_of_somebody_removed_makes_no_place(held, room, host, listener):
    remove_person(caller(host), room.id, listener.id, reason="", minutes=None)
    held.connect(room, listener)
    held.round()
    assert not is_in(listener)


def test_person_without_sound_leaves_after_the_grace_time(held, room, speaker):
    held.close(room, speaker, reason="peer_closed")
    held.pass_time(GRACE_SECS - 1)
    assert is_in(speaker)
    held.pass_time(1)
    assert not is_in(speaker)
    left = StreamEvent.objects.get(stream=f"room/{room.id}", kind="stage_left")
    assert left.data == {"person": speaker.id, "reason": "left"}
    kind, data = told_last(speaker)
    assert (kind, data["place"], data["cause"]) == ("place_changed", None, "lose_connection")


def test_person_back_within_the_grace_time_keeps_everything(held, room, speaker):
    before = Place.objects.get(person=speaker)
    held.close(room, speaker, reason="peer_closed")
    held.pass_time(GRACE_SECS - 1)
    held.connect(room, speaker)
    held.pass_time(60)
    after = Place.objects.get(person=speaker)
    assert (after.role, after.on_stage_since, after.left_at) == (before.role, before.on_stage_since, None)


def test_person_whose_new_session_is_connecting_when_the_grace_time_ends_keeps_everything(held, room, speaker):
    held.close(room, speaker, reason="peer_closed")
    held.pass_time(GRACE_SECS - 1)
    held.session(room, speaker)
    held.pass_time(3)
    assert is_in(speaker)
    held.connect(room, speaker)
    held.pass_time(60)
    place = Place.objects.get(person=speaker)
    assert (place.left_at, place.on_stage_since is not None) == (None, True)
    assert not StreamEvent.objects.filter(kind="stage_left").exists()


def test_person_whose_new_session_never_connects_leaves_after_another_grace_time(held, room, speaker):
    held.close(room, speaker, reason="peer_closed")
    held.pass_time(GRACE_SECS - 1)
    held.session(room, speaker)
    held.pass_time(1)
    assert is_in(speaker)
    age_sessions()
    held.pass_time(RECONCILE_SECS + GRACE_SECS)
    assert not is_in(speaker)


def test_person_who_fell_silent_was_waited_for_by_media_and_leaves_at_once(held, room, speaker):
    held.close(room, speaker, reason="timed_out")
    held.round()
    assert not is_in(speaker)


def test_speaker_without_their_speaking_session_stays_on_the_stage(held, room, speaker):
    held.connect(room, speaker, "speak")
    held.close(room, speaker, "speak", "timed_out")
    held.pass_time(60)
    assert Place.objects.get(person=speaker).on_stage_since is not None


def test_lost_word_of_an_end_is_found_in_the_roster(held, room, listener):
    del held.connected[room.id, listener.id, "listen"]
    held.pass_time(5 + GRACE_SECS)
    assert not is_in(listener)


def test_lost_word_of_a_connection_is_found_in_the_roster(held, room, stranger):
    held.connected[room.id, stranger.id, "listen"] = held.session(room, stranger)
    held.pass_time(5 + RECONCILE_SECS)
    assert is_in(stranger)


def age_lost_stages(room, seconds):
    Place.objects.filter(room=room, stage_lost_at__isnull=False).update(stage_lost_at=timezone.now() - timedelta(seconds=seconds))


def test_last_people_losing_their_connection_end_the_room_unless_one_is_back_within_a_minute(held, room, cast):
    for somebody in cast:
        held.close(room, somebody)
    held.pass_time(GRACE_SECS)
    assert not Place.objects.filter(room=room, left_at=None).exists()
    age_lost_stages(room, 59)
    held.pass_time(RECONCILE_SECS)
    assert reload(room).phase == "live"
    age_lost_stages(room, 60)
    held.pass_time(RECONCILE_SECS)
    assert (reload(room).phase, reload(room).end_reason) == ("ended", "empty")


def test_host_alone_comes_back_to_their_stage_after_half_a_minute_without_network(held, room, cast, host):
    for somebody in cast:
        held.close(room, somebody)
    held.pass_time(GRACE_SECS + 2 * RECONCILE_SECS)
    held.connect(room, host)
    held.round()
    place = Place.objects.get(person=host)
    assert (reload(room).phase, place.left_at, place.on_stage_since is not None) == ("live", None, True)


def test_visitor_alone_keeps_no_room_alive(held, room, cast):
    held.connect(room, "v" * 26)
    for somebody in cast:
        held.close(room, somebody)
    held.pass_time(GRACE_SECS)
    age_lost_stages(room, 60)
    held.pass_time(RECONCILE_SECS)
    assert reload(room).phase == "ended"


def test_host_leaving_ends_nothing_and_their_return_restores_the_role(held, room, host):
    held.close(room, host)
    held.pass_time(120)
    assert reload(room).phase == "live"
    held.connect(room, host)
    held.round()
    place = Place.objects.get(person=host)
    assert (place.role, place.left_at, place.on_stage_since is not None) == ("host", None, True)


def age(room, seconds):
    Room.objects.filter(id=room.id).update(opened_at=timezone.now() - timedelta(seconds=seconds))


def test_room_nobody_entered_is_closed_after_a_minute(kept, host):
    room = open_room(host, title="x", topic="", language="en")
    age(room, 58)
    kept.pass_time(RECONCILE_SECS)
    assert reload(room).phase == "live"
    age(room, 60)
    kept.pass_time(RECONCILE_SECS)
    assert (reload(room).phase, reload(room).end_reason) == ("ended", "empty")
    assert not Place.objects.filter(left_at=None).exists()


def test_host_who_asked_to_listen_and_never_connected_is_nobody_after_a_minute(kept, host):
    room = open_room(host, title="x", topic="", language="en")
    enter_room(room, host)
    kept.pass_time(40)
    assert reload(room).phase == "live"
    age(room, 61)
    kept.pass_time(RECONCILE_SECS)
    assert reload(room).phase == "ended"


def test_host_on_the_way_keeps_the_room_while_a_guest_comes_and_goes(kept, host, listener):
    room = open_room(host, title="x", topic="", language="en")
    kept.connect(room, listener)
    kept.pass_time(NODE_SILENCE_SECS)
    kept.close(room, listener)
    kept.pass_time(GRACE_SECS + RECONCILE_SECS)
    assert (is_in(listener), reload(room).phase) == (False, "live")
    kept.connect(room, host)
    kept.round()
    age(room, 61)
    kept.pass_time(RECONCILE_SECS)
    assert reload(room).phase == "live"


def test_host_who_never_came_gives_the_stage_up_while_guests_are_there(kept, host, listener):
    room = open_room(host, title="x", topic="", language="en")
    kept.connect(room, listener)
    kept.pass_time(50)
    assert is_in(host)
    age(room, 61)
    kept.pass_time(RECONCILE_SECS + GRACE_SECS)
    assert not is_in(host)
    assert (reload(room).phase, is_in(listener)) == ("live", True)


def test_keeper_that_starts_anew_takes_nobody_for_gone_too_early(room, cast):
    again = Kept()
    for _ in range(int(NODE_SILENCE_SECS) - 1):
        again.now += 1
        again.keeper.round(again.now)
    assert all(is_in(somebody) for somebody in cast)
    for somebody in cast[:3]:
        again.connected[room.id, somebody.id, "listen"] = "s"
    again.pass_time(GRACE_SECS)
    assert [is_in(somebody) for somebody in cast] == [True, True, True, False]


def test_dead_media_node_is_believed_until_it_has_been_silent_for_long(held, room, cast):
    held.roster = lambda: None
    held.pass_time(NODE_SILENCE_SECS + GRACE_SECS - 5)
    assert all(is_in(somebody) for somebody in cast)
    held.pass_time(7)
    assert not any(is_in(somebody) for somebody in cast)


def test_bus_away_is_never_gone(held, cast):
    for _ in range(120):
        held.now += 1
        held.keeper.hear_nothing(held.now)
        held.round()
    assert all(is_in(somebody) for somebody in cast)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("taken_over", "taken_over"), ("left_stage", "left_stage"), ("room_ended", "room_ended"), ("timed_out", "timed_out"),
        ("internal", "timed_out"), ("removed", "timed_out"),
    ],
)  # fmt: skip
def test_owner_is_told_why_a_session_ended(held, room, speaker, reason, told):
    held.connect(room, speaker, "speak")
    session = held.close(room, speaker, "speak", reason)
    held.round()
    assert told_last(speaker) == ("session_ended", {"session": session, "room": room.id, "reason": told})
    assert MediaSession.objects.get(id=session).end_reason == reason


def test_removed_person_is_told_that_the_removal_ended_their_session(held, room, host, speaker):
    remove_person(caller(host), room.id, speaker.id, reason="", minutes=None)
    session = held.close(room, speaker, reason="removed")
    held.round()
    assert told_last(speaker) == ("session_ended", {"session": session, "room": room.id, "reason": "removed"})


@pytest.mark.parametrize("reason", ["deleted", "peer_closed"])
def test_owner_is_not_told_what_they_did_themselves(held, room, speaker, reason):
    held.connect(room, speaker, "speak")
    held.close(room, speaker, "speak", reason)
    held.round()
    assert told_last(speaker)[0] == "place_changed"


def test_sound_that_outlived_its_owners_leaving_is_closed_again(held, room, listener, media_process, monkeypatch):
    session = held.connected[room.id, listener.id, "listen"]
    leave_room(caller(listener), room.id)
    assert media_process.closed == []  # the request went with a commit that a test never makes
    held.pass_time(RECONCILE_SECS + 5)
    assert (session, listener.id) in media_process.closed
    assert not is_in(listener)


def test_audience_is_listed_at_a_bounded_rate(held, room, cast):
    held.connect(room, "v" * 26)
    held.pass_time(AUDIENCE_SECS + RECONCILE_SECS)
    assert reload(room).audience == 3  # the moderator, the listener and a visitor: the host and the speaker are on the stage
    listed = StreamEvent.objects.filter(stream="hallway", kind="room_listed").count()
    for n in range(9):
        held.connect(room, f"{n}" * 26)
        held.pass_time(1)
    assert StreamEvent.objects.filter(stream="hallway", kind="room_listed").count() - listed <= 1
    held.pass_time(AUDIENCE_SECS + RECONCILE_SECS)
    assert reload(room).audience == 12
    assert StreamEvent.objects.filter(stream="hallway").latest("seq").data["audience"] == 12


def test_audience_of_nobody_is_listed_too(held, room, moderator, listener):
    held.pass_time(AUDIENCE_SECS)
    assert reload(room).audience == 2
    for somebody in (moderator, listener):
        held.close(room, somebody)
    held.pass_time(AUDIENCE_SECS + RECONCILE_SECS)
    assert reload(room).audience == 0


def test_places_of_a_crowd_are_cleared_in_portions_after_the_end(held, room, host, listener, monkeypatch):
    monkeypatch.setattr(ending, "PORTION", 1)
    ending.end_room(caller(host), room.id)
    # With the end itself go the stage, the moderators and one portion of everybody, in which is the host.
    assert set(Place.objects.filter(left_at=None).values_list("person", flat=True)) == {listener.id}
    held.pass_time(RECONCILE_SECS)
    assert not Place.objects.filter(left_at=None).exists()


def test_sessions_that_vanished_with_their_node_are_ended(held, room, listener):
    session = held.session(room, listener, "speak")
    MediaSession.objects.filter(id=session).update(opened_at=timezone.now() - timedelta(seconds=61))
    held.pass_time(RECONCILE_SECS)
    assert MediaSession.objects.get(id=session).end_reason == "vanished"
    assert MediaSession.objects.get(id=held.connected[room.id, listener.id, "listen"]).ended_at is None


def test_node_that_was_silent_for_long_and_comes_back_has_its_people_again(held, room, cast, stranger):
    held.connect(room, stranger)
    held.round()
    speak_up, held.roster = held.roster, lambda: None
    MediaSession.objects.update(opened_at=timezone.now() - timedelta(seconds=61))
    for somebody in (*cast, stranger):
        Place.objects.filter(person=somebody).update(entered_at=timezone.now())
    held.pass_time(NODE_SILENCE_SECS + 5)
    assert MediaSession.objects.get(person=stranger).end_reason == "vanished"
    held.roster = speak_up
    held.pass_time(RECONCILE_SECS)
    assert is_in(stranger)
    held.close(room, stranger)
    held.pass_time(GRACE_SECS)
    assert not is_in(stranger)


def test_node_that_comes_back_after_its_people_were_let_go_has_them_again(held, room, stranger, host):
    held.connect(room, stranger)
    held.round()
    MediaSession.objects.update(opened_at=timezone.now() - timedelta(seconds=61))
    session = held.connected.pop((room.id, stranger.id, "listen"))
    held.pass_time(5 + GRACE_SECS + RECONCILE_SECS)
    assert (is_in(stranger), MediaSession.objects.get(id=session).end_reason) == (False, "vanished")
    held.connected[room.id, stranger.id, "listen"] = session
    held.pass_time(5 + RECONCILE_SECS)
    assert (is_in(stranger), MediaSession.objects.get(id=session).ended_at) == (True, None)


def vanish(session):
    MediaSession.objects.filter(id=session).update(ended_at=timezone.now(), end_reason="vanished")


@pytest.mark.parametrize("direction", ["listen", "speak"])
def test_session_taken_for_vanished_while_its_owner_stays_is_open_again(held, room, speaker, direction):
    held.connect(room, speaker, "speak")
    session = held.connected[room.id, speaker.id, direction]
    vanish(session)
    held.pass_time(RECONCILE_SECS)
    assert (MediaSession.objects.get(id=session).ended_at, MediaSession.objects.get(id=session).end_reason) == (None, "")
    assert is_in(speaker)


def test_session_of_a_visitor_taken_for_vanished_is_open_again(held, room):
    session = held.connect(room, "v" * 26)
    vanish(session)
    held.pass_time(RECONCILE_SECS)
    assert MediaSession.objects.get(id=session).ended_at is None


def test_vanished_session_that_a_newer_one_followed_stays_ended(held, room, listener):
    old = held.connected[room.id, listener.id, "listen"]
    vanish(old)
    new = held.connect(room, listener)
    held.pass_time(RECONCILE_SECS)
    assert [MediaSession.objects.get(id=session).end_reason for session in (old, new)] == ["vanished", ""]


def test_vanished_session_that_no_node_has_stays_ended(held, room, listener):
    session = held.session(room, listener, "speak")
    vanish(session)
    held.pass_time(RECONCILE_SECS)
    assert MediaSession.objects.get(id=session).end_reason == "vanished"


def test_who_leaves_after_a_session_of_theirs_vanished_is_not_entered_again(
    held, room, listener, media_process, django_capture_on_commit_callbacks
):
    session = held.connected[room.id, listener.id, "listen"]
    vanish(session)
    with django_capture_on_commit_callbacks(execute=True):
        leave_room(caller(listener), room.id)
    assert (media_process.closed, MediaSession.objects.get(id=session).end_reason) == ([(session, listener.id)], "left")
    held.pass_time(RECONCILE_SECS)
    assert not is_in(listener)


def test_keeper_standing_by_changes_nothing(kept, room, cast):
    for _ in range(60):
        kept.now += 1
        kept.keeper.stand_by(kept.now)
    assert all(is_in(somebody) for somebody in cast)
    kept.round()
    assert all(is_in(somebody) for somebody in cast)


def in_line(room, person, **times):
    now = timezone.now()
    return LinePlace.objects.create(room=room, person=person, **{"joined_at": now, "asked_at": now, **times})


def test_session_that_closes_lets_the_line_move_on(held, room, listener, stranger):
    Room.objects.update(capacity=4)
    in_line(room, stranger)
    held.close(room, listener)
    held.round()
    assert told_last(stranger)[0] == "line_changed"
    assert LinePlace.objects.get().admitted_until is not None


def test_lines_are_looked_at_in_every_reconciliation(held, room, stranger, person):
    """A seat is free and nothing happens any more; of two who waited one asks no longer, and one let an admission pass."""
    gone, late = person("gone"), person("late")
    in_line(room, gone, asked_at=timezone.now() - timedelta(seconds=61))
    in_line(room, late, admitted_until=timezone.now() - timedelta(seconds=1))
    in_line(room, stranger)
    held.pass_time(RECONCILE_SECS)
    assert [(place.person, place.admitted_until is not None) for place in LinePlace.objects.all()] == [(stranger, True)]
