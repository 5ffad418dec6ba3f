"""A deactivation or a removal at every moment of opening a sound session: the session is refused, or a policy voids it."""

import threading

import pytest
from django.db import connection, transaction

from salon.accounts.actions.cut import cut, deactivate
from salon.accounts.errors import SignInRequired
from salon.accounts.models import Person
from salon.common.signing import read_grant
from salon.config.environment import environment
from salon.rooms.actions import sound
from salon.rooms.actions.attendance import leave_room
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.errors import RoomNotFound
from salon.rooms.models import MediaSession, Place
from salon.rooms.policy import policy_of
from salon.streams.models import StreamEvent
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db

OFFER = "v=0\r\n"
WAYS_IN = [(sound.speak, "speaker"), (sound.listen, "listener"), (sound.listen, "stranger")]


def deactivate_now(person):
    """As another process does it: the request under way keeps the person it was authenticated as."""
    deactivate(Person.objects.get(id=person.id))


def granted_epoch(media_process):
    [(grant, _, _)] = media_process.opened
    return read_grant(grant, environment().secret_key, now=0)["epoch"]


def is_void(media_process, room, person):
    """Whether the room's policy, as it is now, closes the session that was opened."""
    return granted_epoch(media_process) < policy_of(room)["epochs"].get(person.id, 0)


def after_first_look(monkeypatch, act):
    """`act` runs when the door has let the caller in for the first time."""
    look, looks = sound.access_live_room_by_id, []

    def look_and_act(somebody, room_id):
        found = look(somebody, room_id)
        if not looks:
            looks.append(room_id)
            act()
        return found

    monkeypatch.setattr(sound, "access_live_room_by_id", look_and_act)


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_deactivated_after_the_door_is_refused_before_the_media_process_is_asked(room, request, media_process, monkeypatch, way_in):
    open_sound, who = way_in
    person = request.getfixturevalue(who)
    after_first_look(monkeypatch, lambda: deactivate_now(person))
    with pytest.raises(SignInRequired):
        open_sound(caller(person), room.id, OFFER)
    assert media_process.opened == []


@pytest.mark.parametrize("read", ["before", "after"])
def test_deactivated_around_the_reading_of_the_epoch_is_refused(room, speaker, media_process, monkeypatch, read):
    read_epoch = sound._epoch_on_stage

    def around(there, somebody):
        if read == "after":
            deactivate_now(speaker)
            return read_epoch(there, somebody)
        epoch = read_epoch(there, somebody)
        deactivate_now(speaker)
        return epoch

    monkeypatch.setattr(sound, "_epoch_on_stage", around)
    with pytest.raises(SignInRequired):
        sound.speak(caller(speaker), room.id, OFFER)
    assert media_process.opened == []


@pytest.mark.parametrize("act", [deactivate_now, cut])
@pytest.mark.parametrize("way_in", WAYS_IN)
def test_session_of_somebody_cut_while_it_opens_is_void(room, request, media_process, way_in, act):
    """A stranger enters for the first time: even so there is a place whose epoch can be raised."""
    open_sound, who = way_in
    person = request.getfixturevalue(who)
    media_process.before_answer = lambda: act(person)
    open_sound(caller(person), room.id, OFFER)
    assert is_void(media_process, room, person)


def test_session_of_somebody_who_comes_back_and_is_cut_while_it_opens_is_void(room, listener, media_process):
    leave_room(caller(listener), room.id)
    media_process.before_answer = lambda: deactivate_now(listener)
    sound.listen(caller(listener), room.id, OFFER)
    assert is_void(media_process, room, listener)


def test_session_after_a_cut_is_good(room, listener, media_process):
    cut(listener)
    sound.listen(caller(listener), room.id, OFFER)
    assert (granted_epoch(media_process), is_void(media_process, room, listener)) == (1, False)


def test_somebody_removed_after_the_door_is_refused_before_the_media_process_is_asked(room, host, speaker, media_process, monkeypatch):
    after_first_look(monkeypatch, lambda: remove_person(caller(host), room.id, speaker.id, reason="", minutes=None))
    with pytest.raises(RoomNotFound):
        sound.listen(caller(speaker), room.id, OFFER)
    assert media_process.opened == []


def test_who_asks_to_listen_in_vain_has_not_entered(room, stranger, media_process, monkeypatch):
    after_first_look(monkeypatch, lambda: deactivate_now(stranger))
    with pytest.raises(SignInRequired):
        sound.listen(caller(stranger), room.id, OFFER)
    place = Place.objects.filter(room=room, person=stranger).first()
    assert place is None or (place.left_at is not None and place.entered_at is None)
    assert not MediaSession.objects.exists()


def test_cut_of_somebody_outside_tells_them_nothing(room, listener):
    leave_room(caller(listener), room.id)
    told = StreamEvent.objects.count()
    cut(listener)
    assert (Place.objects.get(room=room, person=listener).epoch, StreamEvent.objects.count()) == (1, told)


def somebody_waits_for_a_row():
    with connection.cursor() as cursor:
        cursor.execute("select exists (select from pg_locks where not granted)")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_deactivation_under_way_is_waited_for(room, stranger, media_process):
    """It looked for the places to cut before this person had one: only its commit can say that they may not come in."""
    answers = []

    def ask():
        try:
            answers.append(sound.listen(caller(Person.objects.get(id=stranger.id)), room.id, OFFER))
        except SignInRequired as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    asking = threading.Thread(target=ask)
    with transaction.atomic():
        deactivate_now(stranger)
        asking.start()
        while asking.is_alive() and not somebody_waits_for_a_row():
            asking.join(0.01)
        assert media_process.opened == []
    asking.join(10)
    assert (answers, media_process.opened) == (["sign_in_required"], [])
