"""The database holds the rules against every other way to write."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from salon.rooms.models import MediaSession, Place, Removal, Room, SecondModeratorRequest

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.mark.parametrize(
    ("who", "fields", "constraint"),
    [
        ("listener", {"on_stage_since": NOW}, "place_listener_is_off_stage"),
        ("speaker", {"on_stage_since": None}, "place_speaker_is_on_stage"),
        ("speaker", {"hand_raised_at": NOW}, "place_stage_or_queue"),
        ("moderator", {"on_stage_since": NOW, "invited_at": NOW}, "place_stage_or_queue"),
        ("hostess", {"left_at": NOW}, "place_outside_has_no_standing"),
        ("listener", {"hand_raised_at": NOW, "left_at": NOW}, "place_outside_has_no_standing"),
        ("listener", {"muted": True}, "place_mute_needs_stage"),
        ("listener", {"stage_lost_at": NOW}, "place_lost_stage_is_left"),
        ("moderator", {"role": "host"}, "place_one_host"),
        ("speaker", {"held_at": NOW}, "place_held_is_muted"),
        ("listener", {"held_reason": "Echo"}, "place_holder_needs_hold"),
        ("listener", {"status": "on_a_call"}, "place_status_needs_stage"),
        ("speaker", {"status": "dancing"}, "place_status_known"),
        ("listener", {"role": "moderator"}, "place_moderator_has_moderated"),
        ("listener", {"role": "king"}, "place_role_known"),
        ("listener", {"csrc": 0}, "place_csrc_is_uint32"),
        ("listener", {"csrc": 2**32}, "place_csrc_is_uint32"),
    ],
)
def test_place_that_breaks_a_rule_is_refused(room, who, fields, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Place.objects.filter(person__handle=who).update(**fields)


def test_place_of_two_people_cannot_share_a_csrc(room, listener, speaker):
    with pytest.raises(IntegrityError, match="place_csrc_unique_in_room"), transaction.atomic():
        Place.objects.filter(person=listener).update(csrc=Place.objects.get(person=speaker).csrc)


def test_place_names_a_muter_or_inviter_only_with_the_deed(room, host):
    for field, constraint in (("muted_by", "place_muter_needs_mute"), ("invited_by", "place_inviter_needs_invitation")):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            Place.objects.filter(person__handle="listener").update(**{field: host})


@pytest.mark.parametrize("fields", [{"phase": "ended"}, {"ended_at": NOW}, {"phase": "ended", "ended_at": NOW}, {"end_reason": "empty"}])
def test_room_ends_with_time_and_reason_or_not_at_all(room, fields):
    with pytest.raises(IntegrityError, match="room_ended_has_time_and_reason"), transaction.atomic():
        Room.objects.update(**fields)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"hand_policy": "some"}, "room_hand_policy_known"),
        ({"capacity": 1}, "room_capacity_holds_two"),
        ({"turn_secs": 29}, "room_turn_is_bearable"),
        ({"slow_mode_secs": 301}, "room_slow_mode_is_bearable"),
        ({"grace_ends_at": NOW, "host_away": True}, "room_grace_or_away"),
    ],
)
def test_room_that_breaks_a_rule_is_refused(room, fields, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Room.objects.update(**fields)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"action": "sing"}, "request_action_known"),
        ({"settled_at": NOW}, "request_settled_has_outcome"),
        ({"outcome": "refused"}, "request_settled_has_outcome"),
    ],
)
def test_request_that_breaks_a_rule_is_refused(room, host, fields, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        SecondModeratorRequest.objects.create(room=room, by=host, at=NOW, expires_at=NOW, **({"action": "end_room"} | fields))


def test_removal_in_force_is_one(room, listener):
    Removal.objects.create(room=room, person=listener, at=NOW, lifted_at=NOW)
    Removal.objects.create(room=room, person=listener, at=NOW)
    with pytest.raises(IntegrityError, match="removal_one_in_force"), transaction.atomic():
        Removal.objects.create(room=room, person=listener, at=NOW)


def test_removal_ends_after_it_begins(room, listener):
    with pytest.raises(IntegrityError, match="removal_ends_after_it_begins"), transaction.atomic():
        Removal.objects.create(room=room, person=listener, at=NOW, until=NOW)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({}, "media_session_has_one_owner"),
        ({"visitor": "v" * 26, "direction": "speak"}, "media_session_visitor_only_listens"),
        ({"visitor": "v" * 26, "direction": "sing"}, "media_session"),
    ],
)
def test_media_session_has_one_owner_and_one_direction(room, fields, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        MediaSession.objects.create(id="s" * 26, room=room, opened_at=NOW, **({"direction": "listen"} | fields))
