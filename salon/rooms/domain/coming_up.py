"""What stands between a person and the stage, whichever way they come up."""

from collections.abc import Set

from salon.rooms.domain.room_stage import PersonId, RoomStage, StagePlace
from salon.rooms.errors import CannotComeUp, StageLocked


def require_unlocked(stage: RoomStage, person: StagePlace) -> None:
    """A moderator comes up through a lock: somebody must be able to open it. Raises StageLocked."""
    if is_locked_out(stage, person):
        raise StageLocked


def require_welcome(stage: RoomStage, blocked_by: Set[PersonId]) -> None:
    """blocked_by: who has blocked the person that wants up. Raises CannotComeUp."""
    if not is_welcome(stage, blocked_by):
        raise CannotComeUp


def is_locked_out(stage: RoomStage, person: StagePlace) -> bool:
    return stage.stage_is_locked and not person.role.moderates


def is_welcome(stage: RoomStage, blocked_by: Set[PersonId]) -> bool:
    """Nobody has to share the stage with somebody they blocked; who came first stays, moderators and host alike."""
    return not any(place.on_stage and place.person in blocked_by for place in stage.places.values())
