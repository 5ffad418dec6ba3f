"""Every command by every role, and on every role: the exact code of each refusal, and that a refusal leaves nothing behind."""

import pytest
from django.db import transaction
from django.utils import timezone

from salon.accounts.callers import Caller
from salon.api.statuses import status_of
from salon.common.errors import SalonError
from salon.rooms import rate_limits
from salon.rooms.actions.attendance import enter_room
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.commands import Terms, run_named
from salon.rooms.enums import Role
from salon.rooms.models import Place, Removal, Room, RoomAction, SecondModeratorRequest
from salon.streams.models import StreamEvent
from tests.rooms.messages.asking import OWN, fields_of
from tests.rooms.people import VISITOR, caller

pytestmark = pytest.mark.django_db

ok = None
ROLES = ("visitor", "outsider", "removed", "left", "listener", "speaker", "moderator", "host")
# Nobody's hand is up, nobody is invited, the stage is not open; fields name a listener, or a request that does not exist.
# fmt: off
BY_ROLE = {
    # "visitor" gets sign_in_required, an "outsider" of this closed room and whoever was removed not_found, whatever they send;
    # somebody who "left" not_in_room. From here on: listener, speaker, moderator (in the audience), host (on the stage).
    "raise_hand":         (ok, "already_on_stage", ok, "already_on_stage"),
    "lower_hand":         ("hand_not_raised",) * 4,
    "step_up":            ("stage_not_open",) * 4,
    "invite_to_stage":    ("not_a_moderator", "not_a_moderator", ok, ok),
    "invite_next":        ("not_a_moderator", "not_a_moderator", "no_hands", "no_hands"),
    "invite_several":     ("not_a_moderator", "not_a_moderator", ok, ok),
    "clear_hands":        ("not_a_moderator", "not_a_moderator", "no_hands", "no_hands"),
    "accept_invitation":  ("not_invited", "already_on_stage", "not_invited", "already_on_stage"),
    "decline_invitation": ("not_invited",) * 4,
    "step_down":          ("not_on_stage", ok, "not_on_stage", ok),
    "move_to_audience":   ("not_a_moderator", "not_a_moderator", "not_on_stage", "not_on_stage"),
    "set_status":         ("not_on_stage", ok, "not_on_stage", ok),
    "mute":               ("not_on_stage", ok, "not_on_stage", ok),
    "unmute":             ("not_on_stage", "not_muted", "not_on_stage", "not_muted"),
    "mute_speaker":       ("not_a_moderator", "not_a_moderator", "not_on_stage", "not_on_stage"),
    "mute_all":           ("not_a_moderator", "not_a_moderator", ok, ok),
    "hold_mute":          ("not_a_moderator", "not_a_moderator", ok, ok),
    "release_mute":       ("not_a_moderator", "not_a_moderator", "not_held", "not_held"),
    "remove_person":      ("not_a_moderator", "not_a_moderator", ok, ok),
    "undo_removal":       ("not_a_moderator", "not_a_moderator", "not_removed", "not_removed"),
    "silence_person":     ("not_a_moderator", "not_a_moderator", ok, ok),
    "unsilence_person":   ("not_a_moderator", "not_a_moderator", ok, ok),
    "leave_room":         (ok, ok, ok, ok),
    "end_room":           ("not_a_moderator", "not_a_moderator", ok, ok),
    "appoint_moderator":  ("not_a_moderator", "not_a_moderator", ok, ok),
    "revoke_moderator":   ("not_a_moderator", "not_a_moderator", "not_moderating", "not_moderating"),
    "name_deputy":        ("not_a_moderator", "not_a_moderator", "only_host", ok),
    "edit_room":          ("not_a_moderator", "not_a_moderator", ok, ok),
    "confirm_request":    ("not_a_moderator", "not_a_moderator", "not_found", "not_found"),
    "refuse_request":     ("not_a_moderator", "not_a_moderator", "not_found", "not_found"),
}
TARGETS = ("oneself", "host", "peer", "speaker", "listener", "left", "removed", "stranger")
MODERATOR, ABSENT = "cannot_act_on_moderator", "not_in_room"
# What a moderator in the audience is answered, and the host, of each target. "left" was a listener; "stranger" never came.
BY_TARGET = {
    "invite_to_stage": (
        (ok, "already_on_stage", ok, "already_on_stage", ok, ABSENT, ABSENT, ABSENT),
        ("already_on_stage", "already_on_stage", ok, "already_on_stage", ok, ABSENT, ABSENT, ABSENT),
    ),
    "invite_several": (
        (ok, "nobody_to_invite", ok, "nobody_to_invite", ok, *["nobody_to_invite"] * 3),
        ("nobody_to_invite", "nobody_to_invite", ok, "nobody_to_invite", ok, *["nobody_to_invite"] * 3),
    ),
    "move_to_audience": (
        ("not_on_stage", MODERATOR, "not_on_stage", ok, "not_on_stage", ABSENT, ABSENT, ABSENT),
        (ok, ok, "not_on_stage", ok, "not_on_stage", ABSENT, ABSENT, ABSENT),
    ),
    "mute_speaker": (
        ("not_on_stage", ok, "not_on_stage", ok, "not_on_stage", ABSENT, ABSENT, ABSENT),
        (ok, ok, "not_on_stage", ok, "not_on_stage", ABSENT, ABSENT, ABSENT),
    ),
    "hold_mute": (
        ("cannot_act_on_oneself", MODERATOR, MODERATOR, ok, ok, ok, ok, ABSENT),
        ("cannot_act_on_oneself", "cannot_act_on_oneself", ok, ok, ok, ok, ok, ABSENT),
    ),
    "release_mute": (
        ("cannot_act_on_oneself", *["not_held"] * 6, ABSENT),
        ("cannot_act_on_oneself", "cannot_act_on_oneself", *["not_held"] * 5, ABSENT),
    ),
    "remove_person": (
        (MODERATOR, MODERATOR, MODERATOR, ok, ok, ok, ok, ABSENT),
        (MODERATOR, MODERATOR, ok, ok, ok, ok, ok, ABSENT),
    ),
    "undo_removal": (
        (*["not_removed"] * 6, ok, "not_removed"),
        (*["not_removed"] * 6, ok, "not_removed"),
    ),
    "silence_person": (
        (MODERATOR, MODERATOR, MODERATOR, ok, ok, ok, ok, ABSENT),
        (MODERATOR, MODERATOR, ok, ok, ok, ok, ok, ABSENT),
    ),
    "unsilence_person": (
        (MODERATOR, MODERATOR, MODERATOR, ok, ok, ok, ok, ABSENT),
        (MODERATOR, MODERATOR, ok, ok, ok, ok, ok, ABSENT),
    ),
    "appoint_moderator": (
        ("already_moderator", "already_moderator", "already_moderator", ok, ok, ABSENT, ABSENT, ABSENT),
        ("already_moderator", "already_moderator", "already_moderator", ok, ok, ABSENT, ABSENT, ABSENT),
    ),
    "revoke_moderator": (
        (ok, MODERATOR, "only_host", *["not_moderating"] * 4, ABSENT),
        (MODERATOR, MODERATOR, ok, *["not_moderating"] * 4, ABSENT),
    ),
    "name_deputy": (
        ("only_host",) * 8,
        ("cannot_act_on_oneself", "cannot_act_on_oneself", ok, ok, ok, ABSENT, ABSENT, ABSENT),
    ),
}
# fmt: on
# Who may be called and let in is the door's matter; tests/rooms/actions has it.
_OF_THE_DOOR = {"ping", "invite_in"}


@pytest.fixture
def people(room, cast, stranger, person):
    """By role. The room is closed, its stage is not; there is another moderator, somebody who left, and somebody removed."""
    host, moderator, speaker, listener = cast
    others = {"peer": person("peer"), "left": person("gone"), "removed": person("removed")}
    for other in others.values():
        enter_room(room, other)
    Place.objects.filter(person=others["peer"]).update(role=Role.MODERATOR, ever_moderated=True)
    Place.objects.filter(person=others["left"]).update(left_at=timezone.now())
    remove_person(caller(host), room.id, others["removed"].id, reason="", minutes=None)
    Room.objects.update(visibility="closed")
    return others | {"host": host, "moderator": moderator, "speaker": speaker, "listener": listener, "stranger": stranger}


def outcome(room, who, name, fields):
    """The code of the refusal, or None. Whatever it did is undone."""
    rate_limits.COMMANDS.forget_all()
    before = traces()
    with transaction.atomic():
        try:
            run_named(who, room.id, name, fields, Terms())
            code = None
        except SalonError as refusal:
            code = refusal.code
            assert status_of(code) in (401, 403, 404, 409)
            assert traces() == before, "a refused command left something behind"
        transaction.set_rollback(True)
    return code


def traces():
    rooms = Room.objects.values_list("policy_version", "title", "visibility", "deputy").get()
    counts = [model.objects.count() for model in (StreamEvent, RoomAction, Removal, SecondModeratorRequest)]
    return rooms, counts, list(Place.objects.order_by("id").values())


def test_every_command_is_in_the_tables():
    assert set(BY_ROLE) == set(OWN) - _OF_THE_DOOR
    about_somebody = {name for name, message in OWN.items() if {"person", "people"} & set(message.fields.model_fields)}
    assert set(BY_TARGET) == about_somebody - _OF_THE_DOOR


@pytest.mark.parametrize("name", BY_ROLE)
def test_command_by_every_role(room, people, name):
    callers = {"visitor": VISITOR, "outsider": caller(people["stranger"])} | {role: caller(one) for role, one in people.items()}
    by_role = ("sign_in_required", "not_found", "not_found", "not_in_room", *BY_ROLE[name])
    fields = fields_of(name, people["listener"].id)
    assert {role: outcome(room, callers[role], name, fields) for role in ROLES} == dict(zip(ROLES, by_role, strict=True))


@pytest.mark.parametrize("name", BY_TARGET)
@pytest.mark.parametrize("role", ["moderator", "host"])
def test_command_on_every_role(room, people, name, role):
    who: Caller = caller(people[role])
    targets = people | {"oneself": people[role]}
    codes = {target: outcome(room, who, name, fields_of(name, targets[target].id)) for target in TARGETS}
    assert codes == dict(zip(TARGETS, BY_TARGET[name][role == "host"], strict=True))


@pytest.mark.parametrize("name", BY_ROLE)
def test_command_in_an_ended_room(room, people, name):
    run_named(caller(people["host"]), room.id, "end_room", {}, Terms())
    fields = fields_of(name, people["listener"].id)
    assert {role: outcome_of_ended(room, people[role], name, fields) for role in ("listener", "moderator", "host")} == {
        "listener": "room_ended", "moderator": "room_ended", "host": "room_ended",
    }  # fmt: skip


def outcome_of_ended(room, person, name, fields):
    with pytest.raises(SalonError) as refusal:
        run_named(caller(person), room.id, name, fields, Terms())
    assert status_of(refusal.value.code) == 410
    return refusal.value.code
