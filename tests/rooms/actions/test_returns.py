"""What waits for somebody who comes back to a room."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.rooms.actions.attendance import enter_room, leave_room, lose_connection
from salon.rooms.actions.invitations import accept_invitation, invite_to_stage
from salon.rooms.actions.mutes import hold_mute, mute_speaker
from salon.rooms.actions.remove_person import remove_person, undo_removal
from salon.rooms.actions.stepping_up import set_status
from salon.rooms.domain.lifecycle import STAGE_KEPT, STAGE_KEPT_ON_A_CALL
from salon.rooms.enums import Status
from salon.rooms.models import Place
from tests.rooms.messages.traces import place
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db

A_SECOND = timedelta(seconds=1)


def away_for(person, how_long):
    Place.objects.filter(person=person).update(stage_lost_at=timezone.now() - how_long)


@pytest.mark.parametrize(
    ("status", "how_long", "returns"),
    [
        (None, STAGE_KEPT - 60 * A_SECOND, True),
        (None, STAGE_KEPT + A_SECOND, False),
        (Status.ON_A_CALL, STAGE_KEPT + A_SECOND, True),
        (Status.ON_A_CALL, STAGE_KEPT_ON_A_CALL - 60 * A_SECOND, True),
        (Status.ON_A_CALL, STAGE_KEPT_ON_A_CALL + A_SECOND, False),
    ],
)
def test_stage_waits_for_who_lost_the_connection_longer_on_a_call(room, speaker, status, how_long, returns):
    set_status(caller(speaker), room.id, status)
    lose_connection(room, speaker)
    away_for(speaker, how_long)
    enter_room(room, speaker)
    assert (place(speaker).on_stage_since is not None, place(speaker).status) == (returns, status if returns and status else "")


def test_plain_mute_waits_with_the_lost_stage_and_ends_with_leaving(room, speaker, moderator):
    mute_speaker(caller(moderator), room.id, speaker.id)
    lose_connection(room, speaker)
    enter_room(room, speaker)
    assert (place(speaker).muted, place(speaker).muted_by) == (True, moderator)
    leave_room(caller(speaker), room.id)
    enter_room(room, speaker)
    assert (place(speaker).muted, place(speaker).on_stage_since) == (False, None)


@pytest.mark.parametrize("way", ["leave", "lose", "remove"])
def test_held_mute_waits_wherever_they_went(room, host, speaker, way):
    hold_mute(caller(host), room.id, speaker.id, reason="Echo")
    if way == "leave":
        leave_room(caller(speaker), room.id)
    elif way == "lose":
        lose_connection(room, speaker)
    else:
        remove_person(caller(host), room.id, speaker.id, reason="", minutes=None)
        undo_removal(caller(host), room.id, speaker.id)
    enter_room(room, speaker)
    if way != "lose":
        invite_to_stage(caller(host), room.id, speaker.id)
        accept_invitation(caller(speaker), room.id)
    assert (place(speaker).on_stage_since is not None, place(speaker).muted, place(speaker).held_reason) == (True, True, "Echo")


def test_moderator_who_left_comes_back_as_one_and_a_removed_one_does_not(room, host, moderator):
    leave_room(caller(moderator), room.id)
    enter_room(room, moderator)
    assert place(moderator).role == "moderator"
    remove_person(caller(host), room.id, moderator.id, reason="", minutes=None)
    undo_removal(caller(host), room.id, moderator.id)
    enter_room(room, moderator)
    assert place(moderator).role == "listener"
