"""Coming in costs the same for the first and the last, and counts exactly where it must: `Room.seats_at_most`."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from salon.accounts.callers import Caller
from salon.common.ids import new_id
from salon.rooms.actions import line, mutes, sound
from salon.rooms.errors import RoomFull, RoomLocked
from salon.rooms.models import LinePlace, MediaSession, Room
from salon.rooms.policy import known_policy_of, policy_of
from salon.worker.places import revive_session
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db

OFFER = "v=0\r\n"
QUERIES_OF_A_VISITOR, QUERIES_OF_A_PERSON, QUERIES_OF_WHO_IS_IN = 7, 21, 16


def visitor():
    return Caller(None, new_id(), "en")


def enter(room, who=None):
    return sound.listen(who or visitor(), room.id, OFFER)


def at_most(room):
    room.refresh_from_db()
    return room.seats_at_most


def free(room):
    return line._free_seats(room, timezone.now())


def hold(room, capacity):
    Room.objects.filter(id=room.id).update(capacity=capacity)
    room.refresh_from_db()


def end(session):
    MediaSession.objects.filter(id=session).update(ended_at=timezone.now(), end_reason="vanished")


def rows_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables")
        return int(cursor.fetchone()[0])


def test_first_one_is_counted_and_the_others_need_no_count(room, media_process):
    assert at_most(room) is None
    enter(room)
    assert at_most(room) == 1
    for _ in range(3):
        enter(room)
    assert (at_most(room), MediaSession.objects.count(), LinePlace.objects.count()) == (4, 4, 0)


def test_entering_takes_few_queries_and_reads_no_more_in_a_crowd(room, person, media_process):
    enter(room)
    with CaptureQueriesContext(connection) as few:
        enter(room)
    before = rows_read()
    enter(room)
    among_few = rows_read() - before
    MediaSession.objects.bulk_create(
        [MediaSession(id=new_id(), room=room, visitor=new_id(), direction="listen", opened_at=timezone.now()) for _ in range(2000)]
    )
    with connection.cursor() as cursor:
        cursor.execute("analyze rooms_mediasession")
    Room.objects.filter(id=room.id).update(seats_at_most=2010)
    before = rows_read()
    enter(room)
    assert rows_read() - before <= among_few + 5
    assert len(few) == QUERIES_OF_A_VISITOR
    newcomer = caller(person("newcomer"))
    with CaptureQueriesContext(connection) as of_a_person:
        enter(room, newcomer)
    assert len(of_a_person) == QUERIES_OF_A_PERSON
    with CaptureQueriesContext(connection) as again:
        enter(room, newcomer)
    assert len(again) == QUERIES_OF_WHO_IS_IN


def test_somebody_without_a_seat_is_looked_for_among_their_own_sessions_alone(room, media_process):
    """A visitor of a locked room, or of a full one, must not cost a look at everybody's."""
    MediaSession.objects.bulk_create(
        [MediaSession(id=new_id(), room=room, visitor=new_id(), direction="listen", opened_at=timezone.now()) for _ in range(2000)]
    )
    with connection.cursor() as cursor:
        cursor.execute("analyze rooms_mediasession")
    before = rows_read()
    assert not line._has_seat(visitor(), room, timezone.now())
    assert rows_read() - before < 10


def test_number_that_reaches_the_capacity_is_counted_again(room, media_process):
    hold(room, 3)
    sessions = [enter(room).session for _ in range(3)]
    for session in sessions[:2]:
        end(session)
    assert at_most(room) == 3  # nobody lowers it
    enter(room)
    assert (at_most(room), free(room)) == (2, 1)


def test_whoever_is_in_line_comes_before_newcomers_where_a_seat_is_free(room, media_process):
    hold(room, 2)
    first, waiting = enter(room), visitor()
    enter(room)
    with pytest.raises(RoomFull):
        enter(room, waiting)
    assert at_most(room) is None
    line.ask_line(waiting, room.id)
    end(first.session)
    with pytest.raises(RoomFull):
        enter(room)  # a newcomer: the free seat is kept for who waits
    enter(room, waiting)
    assert free(room) == 0


def test_raised_capacity_counts_at_once_and_a_lowered_one_too(room, media_process):
    hold(room, 2)
    enter(room)
    enter(room)
    hold(room, 3)
    enter(room)
    hold(room, 2)
    with pytest.raises(RoomFull):
        enter(room)


def test_locked_room_lets_no_newcomer_in_though_seats_are_free(room, listener, media_process):
    enter(room)
    Room.objects.filter(id=room.id).update(locked=True)
    with pytest.raises(RoomLocked):
        enter(room)
    enter(room, caller(listener))
    assert at_most(room) == 2


def test_session_that_is_found_to_go_on_takes_its_seat_back(room, media_process):
    hold(room, 2)
    lost = enter(room).session
    end(lost)
    enter(room)
    assert at_most(room) == 2
    hold(room, 3)
    revive_session(MediaSession.objects.get(id=lost))
    assert at_most(room) is None
    enter(room)
    with pytest.raises(RoomFull):
        enter(room)


def test_seat_that_came_to_nothing_is_given_back(room, media_process):
    hold(room, 2)
    enter(room)
    media_process.failure = sound.MediaUnavailable()
    with pytest.raises(sound.MediaUnavailable):
        enter(room)
    media_process.failure = None
    enter(room)
    assert (free(room), LinePlace.objects.count()) == (0, 0)


def test_known_policy_is_that_of_the_rooms_version(room, speaker, media_process):
    assert known_policy_of(room) == policy_of(room)
    assert known_policy_of(room) is known_policy_of(Room.objects.get(id=room.id))
    mutes.mute(caller(speaker), room.id)
    room.refresh_from_db()
    assert known_policy_of(room) == policy_of(room)


@pytest.mark.parametrize("who", ["moderator", "listener"])
def test_seat_of_whom_the_room_always_lets_in_is_counted_while_their_offer_is_answered(room, request, who, media_process):
    """A moderator, and somebody who is in it and lost the sound, pass the capacity; nobody else may pass it because they were under way."""
    hold(room, 3)
    for session in [enter(room).session for _ in range(3)][1:]:
        end(session)
    assert at_most(room) == 3

    def meanwhile():
        media_process.before_answer = lambda: None
        enter(room)

    media_process.before_answer = meanwhile
    enter(room, caller(request.getfixturevalue(who)))
    assert free(room) == 0
    assert at_most(room) in (None, 3)
    with pytest.raises(RoomFull):
        enter(room)


def test_failed_offer_of_a_moderator_leaves_no_seat_taken(room, moderator, media_process):
    hold(room, 2)
    enter(room)
    enter(room)
    media_process.failure = sound.MediaUnavailable()
    with pytest.raises(sound.MediaUnavailable):
        enter(room, caller(moderator))
    assert (free(room), LinePlace.objects.count()) == (0, 0)


def test_admission_that_is_nearly_over_lasts_until_the_offer_is_answered(room, media_process):
    hold(room, 2)
    first, waiting = enter(room), visitor()
    enter(room)
    with pytest.raises(RoomFull):
        enter(room, waiting)
    line.ask_line(waiting, room.id)
    end(first.session)
    line.admit_from_line(room)
    LinePlace.objects.update(admitted_until=timezone.now() + timedelta(milliseconds=500))
    # What somebody else sees a second later, while the media process has still not answered.
    media_process.before_answer = lambda: seen.append(line._free_seats(room, timezone.now() + timedelta(seconds=1)))
    seen: list[int] = []
    enter(room, waiting)
    assert seen == [0]
    assert free(room) == 0


def test_seat_that_another_request_of_the_same_person_gave_back_is_not_used(room, person, media_process):
    """An offer that is no offer, beside a good one, must not make the room hold one more."""
    hold(room, 2)
    enter(room)
    twice, other = caller(person("twice")), visitor()

    def meanwhile():
        media_process.before_answer = lambda: None
        line.give_back_seat(twice, room)
        enter(room, other)

    media_process.before_answer = meanwhile
    with pytest.raises(sound.MediaUnavailable):
        enter(room, twice)
    assert free(room) == 0
    assert [owner for _, owner in media_process.closed] == [twice.person.id]
    assert not MediaSession.objects.filter(person=twice.person).exists()


def test_two_requests_of_one_person_share_one_seat(room, person, media_process):
    hold(room, 2)
    enter(room)
    twice = caller(person("twice"))

    def meanwhile():
        media_process.before_answer = lambda: None
        enter(room, twice)

    media_process.before_answer = meanwhile
    enter(room, twice)
    assert (free(room), MediaSession.objects.filter(person=twice.person, ended_at=None).count()) == (0, 2)
    with pytest.raises(RoomFull):
        enter(room)
