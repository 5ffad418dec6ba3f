"""Who may do what to whom."""

from salon.rooms.domain.room_stage import PersonId, RoomStage, StagePlace
from salon.rooms.enums import Role
from salon.rooms.errors import CannotActOnModerator, NotAModerator, NotInRoom, OnlyHost


def require_moderator(stage: RoomStage, actor: PersonId) -> StagePlace:
    """The place of `actor`, who moderates this room and is in it. Raises NotInRoom, NotAModerator."""
    place = stage.place_of(actor)
    if not place.role.moderates:
        raise NotAModerator
    return place


def require_host(stage: RoomStage, actor: PersonId) -> StagePlace:
    """The place of `actor`, who holds the role of host and is in the room. Raises NotInRoom, NotAModerator, OnlyHost."""
    place = require_moderator(stage, actor)
    if place.role is not Role.HOST:
        raise OnlyHost
    return place


def require_power_over(stage: RoomStage, actor: StagePlace, target: StagePlace) -> None:
    """Whether `actor`, a moderator, may move, remove, silence or hold the mute of `target`.

    The host may do it to anybody else, a moderator to speakers and listeners: moderators are peers, and a room's
    host is never put out of their own room. Raises CannotActOnModerator.
    """
    if is_host(stage, target) or (target.role is Role.MODERATOR and actor.role is not Role.HOST):
        raise CannotActOnModerator(field="person")


def is_host(stage: RoomStage, place: StagePlace) -> bool:
    """Who holds the role, and who opened the room: whoever stands in for them has no power over them while they are away."""
    return place.role is Role.HOST or place.person == stage.rules.opener


def place_named(stage: RoomStage, person: PersonId) -> StagePlace:
    """The place of somebody named in a command, who may have left by now. Raises NotInRoom at the field `person`."""
    if person not in stage.places:
        raise NotInRoom(field="person")
    return stage.places[person]
