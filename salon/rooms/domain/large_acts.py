"""What one moderator alone may not do: an account taken over, or a moment of anger, must not cost a crowd its room."""

from salon.rooms.domain.roles import require_moderator
from salon.rooms.domain.room_stage import PersonId, RoomStage, StagePlace
from salon.rooms.enums import LargeAct
from salon.rooms.errors import CannotActOnOneself, NeedsSecondModerator

CROWD = 500
"""A room with more people in it is ended by two."""
REMOVALS_PER_MINUTE = 20
"""After so many within a minute, the next takes two."""


def needs_second_moderator(act: LargeAct, *, people_in: int, removals_last_minute: int) -> bool:
    """people_in: everybody in the room, listeners too. removals_last_minute: from this room, by whomever, in the 60 s before now."""
    match act:
        case LargeAct.END_ROOM:
            return people_in > CROWD
        case LargeAct.REMOVE_PERSON:
            return removals_last_minute >= REMOVALS_PER_MINUTE


def other_moderators(stage: RoomStage, actor: PersonId) -> list[StagePlace]:
    """Those who are in the room, and could confirm what `actor` asks."""
    return [place for place in stage.moderators() if place.is_in and place.person != actor]


def require_other_moderator(stage: RoomStage, actor: PersonId) -> None:
    """Raises NeedsSecondModerator: a request that nobody could confirm would only expire."""
    if not other_moderators(stage, actor):
        raise NeedsSecondModerator


def require_second_moderator(stage: RoomStage, actor: PersonId, asked_by: PersonId) -> None:
    """Whether `actor` may confirm or refuse what `asked_by` asked. Raises RoomEnded, NotInRoom, NotAModerator, CannotActOnOneself."""
    stage.require_live()
    require_moderator(stage, actor)
    if actor == asked_by:
        raise CannotActOnOneself
