import pytest
from django.contrib.auth.signals import user_logged_out
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from salon.accounts.models import Person
from salon.common.ids import new_id
from salon.rooms.actions.attendance import cut_off, enter_room, leave, leave_room, lose_connection
from salon.rooms.actions.places import ensure_place
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.errors import RoomNotFound
from salon.rooms.models import MediaSession, Place, RoomAction
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db


def test_enter_room_gives_everybody_a_csrc_of_their_own(room, person, monkeypatch):
    taken = Place.objects.values_list("csrc", flat=True)[0]
    draws = iter([taken, taken, 7])
    monkeypatch.setattr("salon.rooms.actions.places.random_csrc", lambda: next(draws))
    guest = person("guest")
    ensure_place(room, guest)
    assert Place.objects.get(person=guest).csrc == 7


def test_enter_room_again_keeps_the_csrc(room, listener):
    before = Place.objects.get(person=listener).csrc
    lose_connection(room, listener)
    enter_room(room, listener)
    assert Place.objects.get(person=listener).csrc == before


def test_enter_room_after_a_removal(room, host, listener):
    remove_person(caller(host), room.id, listener.id, reason="", minutes=1)
    with pytest.raises(RoomNotFound):
        enter_room(room, listener)


def test_who_was_there_leaves_no_audit_record(room, listener, speaker):
    before = RoomAction.objects.count()
    lose_connection(room, listener)
    enter_room(room, listener)
    cut_off(room, listener)
    for person in (listener, speaker):
        leave_room(caller(person), room.id)
    assert RoomAction.objects.count() == before


def test_logout_raises_the_epoch_wherever_the_person_is(room, listener, speaker):
    version = room.policy_version
    user_logged_out.send(sender=Person, request=None, user=listener)
    room.refresh_from_db()
    assert dict(Place.objects.values_list("person_id", "epoch"))[listener.id] == 1
    assert Place.objects.get(person=listener).left_at is None
    assert Place.objects.get(person=speaker).epoch == 0
    assert room.policy_version == version + 1


def test_leaving_locks_sessions_before_streams(room, speaker):
    """As recording the end of a session does: the other way round each of the two could wait for the other for ever."""
    MediaSession.objects.create(id=new_id(), room=room, person=speaker, direction="listen", opened_at=timezone.now())
    with CaptureQueriesContext(connection) as captured:
        leave(room, speaker)
    locking = ('FROM "rooms_mediasession"', "INTO streams_stream ")
    locked = [what for query in captured for what in locking if what in query["sql"] and ("FOR NO KEY" in query["sql"] or "INTO" in what)]
    assert locked == list(locking)
