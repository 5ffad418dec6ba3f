"""Acts that take two moderators: the end of a crowded room, one removal too many within a minute."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.accounts.models import Person
from salon.rooms.domain.large_acts import CROWD, REMOVALS_PER_MINUTE
from salon.rooms.models import MediaSession, Place, Removal, Room, RoomAction, SecondModeratorRequest
from salon.social.actions.blocks import block
from tests.rooms.messages.traces import events, logged, told
from tests.rooms.people import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(room, cast):
    """As many people, with the cast and a visitor, as one moderator may send home: one more makes a crowd."""
    now = timezone.now()
    people = Person.objects.bulk_create([Person(handle=f"guest{n}", name="Guest") for n in range(CROWD - len(cast) - 1)])
    Place.objects.bulk_create([Place(room=room, person=person, csrc=n + 1, entered_at=now) for n, person in enumerate(people)])
    MediaSession.objects.create(id="v" * 26, room=room, visitor="v" * 26, direction="listen", opened_at=now)


@pytest.fixture
def many_removed(room, person, host):
    """As many were removed lately as one moderator may alone."""
    now = timezone.now()
    for n in range(REMOVALS_PER_MINUTE):
        RoomAction.objects.create(room=room, action="remove_person", actor=host, target=person(f"removed{n}"), logged=True, at=now)


@pytest.fixture
def request_to_end(room, crowd, stranger, moderator):
    """One person more makes it a crowd, and the moderator has asked to end it: the request's id."""
    Place.objects.create(room=room, person=stranger, csrc=2**31, entered_at=timezone.now())
    answer = Api(moderator).command(room.id, "end_room", key="once")
    assert answer.status_code == 200
    return answer.json()["id"]


def told_moderators(room, kind):
    return [data for told_kind, data in events(f"moderation/{room.id}") if told_kind == kind]


def test_end_room_of_as_many_as_one_may_end(run, crowd):
    assert run("moderator", "end_room") is None
    assert Room.objects.get().phase == "ended"


def test_end_room_of_a_crowd_opens_a_request(run, room, moderator, request_to_end):
    assert Room.objects.get().phase == "live"
    (opened,) = told_moderators(room, "request_opened")
    assert (opened["id"], opened["action"], opened["by"]["handle"], opened["target"]) == (request_to_end, "end_room", "moderator", None)
    asked = SecondModeratorRequest.objects.get()
    assert asked.expires_at - asked.at == timedelta(minutes=2)
    assert run("hostess", "end_room") == "already_requested"
    assert Api(moderator).command(room.id, "end_room", key="once").json()["id"] == request_to_end
    assert SecondModeratorRequest.objects.count() == 1


def test_end_room_of_a_crowd_without_another_moderator(run, room, crowd, stranger, moderator):
    Place.objects.create(room=room, person=stranger, csrc=2**31, entered_at=timezone.now())
    run("hostess", "revoke_moderator", person=moderator.id)
    assert run("hostess", "end_room") == "needs_second_moderator"
    assert not SecondModeratorRequest.objects.exists()


def test_confirm_request(run, room, host, request_to_end):
    assert run("moderator", "confirm_request", request=request_to_end) == "cannot_act_on_oneself"
    assert run("listener", "confirm_request", request=request_to_end) == "not_a_moderator"
    assert run("hostess", "confirm_request", request="r" * 26) == "not_found"
    assert run("hostess", "confirm_request", request=request_to_end) is None
    assert Room.objects.get().phase == "ended"
    assert SecondModeratorRequest.objects.get().outcome == "confirmed"
    assert told_moderators(room, "request_settled") == [{"request": request_to_end, "outcome": "confirmed"}]
    assert logged(room) == ("end_room", "moderator", None, None)
    assert told_moderators(room, "action_logged")[-1]["data"] == {"confirmed_by": host.id}


def test_refuse_request(run, room, request_to_end):
    assert run("moderator", "refuse_request", request=request_to_end) == "cannot_act_on_oneself"
    assert run("speaker", "refuse_request", request=request_to_end) == "not_a_moderator"
    assert run("hostess", "refuse_request", request=request_to_end) is None
    assert (Room.objects.get().phase, SecondModeratorRequest.objects.get().outcome) == ("live", "refused")
    assert told_moderators(room, "request_settled") == [{"request": request_to_end, "outcome": "refused"}]
    assert logged(room) == ("refuse_request", "hostess", None, None)
    assert run("hostess", "confirm_request", request=request_to_end) == "not_found"
    assert run("moderator", "end_room") is None
    assert SecondModeratorRequest.objects.filter(settled_at=None).count() == 1


def test_remove_person_beyond_the_pace_of_one(run, room, moderator, speaker, many_removed):
    asked = Api(moderator).command(room.id, "remove_person", person=speaker.id, reason="Raid", minutes=5).json()["id"]
    assert Place.objects.get(person=speaker).left_at is None
    (opened,) = told_moderators(room, "request_opened")
    assert (opened["action"], opened["target"]["handle"]) == ("remove_person", "speaker")
    assert run("hostess", "confirm_request", request=asked) is None
    removal = Removal.objects.latest("id")
    assert (removal.person, removal.by, removal.reason, removal.until - removal.at) == (speaker, moderator, "Raid", timedelta(minutes=5))
    assert told(speaker, room) == ("remove_person", "moderator", "Raid")


def test_remove_person_is_free_again_when_the_minute_is_over(run, room, speaker, many_removed):
    first = RoomAction.objects.filter(action="remove_person").order_by("id").first()
    RoomAction.objects.filter(id=first.id).update(at=timezone.now() - timedelta(seconds=60))
    assert run("moderator", "remove_person", person=speaker.id) is None
    assert Place.objects.get(person=speaker).left_at is not None


def test_removals_that_were_undone_count(run, room, speaker, listener, many_removed):
    RoomAction.objects.filter(action="remove_person").order_by("id").first().delete()
    assert run("moderator", "remove_person", person=speaker.id) is None
    assert run("moderator", "undo_removal", person=speaker.id) is None
    assert run("moderator", "remove_person", person=listener.id) is None
    assert Place.objects.get(person=listener).left_at is None


@pytest.mark.usefixtures("many_removed")
def test_blocks_are_no_way_around_the_second_moderator(run, room, cast, django_capture_on_commit_callbacks):
    """Whom a moderator blocks is put out of the room: a hundred blocks would empty it."""
    _, moderator, speaker, listener = cast
    RoomAction.objects.filter(action="remove_person").order_by("id").first().delete()
    with django_capture_on_commit_callbacks(execute=True):
        block(moderator, speaker.handle)
        block(moderator, listener.handle)
    assert [Place.objects.get(person=person).left_at is None for person in (speaker, listener)] == [False, True]
    (opened,) = told_moderators(room, "request_opened")
    assert (opened["by"]["handle"], opened["target"]["handle"]) == ("moderator", "listener")
    assert run("moderator", "confirm_request", request=opened["id"]) == "cannot_act_on_oneself"
    assert run("hostess", "confirm_request", request=opened["id"]) is None
    assert Place.objects.get(person=listener).left_at is not None


def test_request_of_somebody_who_moderates_no_more_cannot_be_confirmed(run, room, moderator, request_to_end):
    run("hostess", "appoint_moderator", person=Place.objects.get(person__handle="listener").person_id)
    run("hostess", "revoke_moderator", person=moderator.id)
    assert run("listener", "confirm_request", request=request_to_end) == "not_found"
    assert Room.objects.get().phase == "live"


def test_request_is_over_after_two_minutes(run, request_to_end):
    SecondModeratorRequest.objects.update(expires_at=timezone.now())
    assert run("hostess", "confirm_request", request=request_to_end) == "not_found"
    assert run("hostess", "refuse_request", request=request_to_end) == "not_found"
