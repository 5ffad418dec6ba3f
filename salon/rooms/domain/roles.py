"""Who may do what to whom."""

from salon.rooms.domain.room_stage import PersonId, RoomStage, StagePlace
from salon.rooms.enums import Role
from salon.rooms.errors import CannotActOnModerator, NotAModerator


def require_moderator(stage: RoomStage, actor: PersonId) -> StagePlace:
    """The place of `actor`, who moderates this room and is in it. Raises NotInRoom, NotAModerator."""
    place = stage.place_of(actor)
    if not place.role.moderates:
        raise NotAModerator
    return place


def require_power_over(actor: StagePlace, target: StagePlace) -> None:
    """Whether `actor`, a moderator, may move or remove `target`.

    The host may do it to anybody else, a moderator to speakers and listeners: moderators are peers, and a room's
    host is never put out of their own room. Raises CannotActOnModerator.
    """
    if target.role is Role.HOST or (target.role is Role.MODERATOR and actor.role is not Role.HOST):
        raise CannotActOnModerator(field="person")
