"""Changing what a room has settled about its stage. Title, chat and the like concern no rule here."""

from dataclasses import replace

from salon.rooms.domain.roles import require_moderator
from salon.rooms.domain.room_stage import Outcome, PersonId, RoomStage, with_rules
from salon.rooms.enums import HandPolicy, Visibility
from salon.rooms.errors import CannotNarrow

_WIDENING = (Visibility.CLOSED, Visibility.SOCIAL, Visibility.OPEN)


def edit_room(
    stage: RoomStage,
    actor: PersonId,
    *,
    visibility: Visibility | None = None,
    hand_policy: HandPolicy | None = None,
    stage_locked: bool | None = None,
    fair_floor: bool | None = None,
) -> Outcome:
    """None leaves a setting as it is. Raises RoomEnded, NotInRoom, NotAModerator, CannotNarrow.

    Hands and invitations stay as they are: what changes is who may raise one from now on, and in which order they come.
    """
    stage.require_live()
    require_moderator(stage, actor)
    rules = stage.rules
    edited = replace(
        rules,
        visibility=rules.visibility if visibility is None else widened(rules.visibility, visibility),
        hand_policy=rules.hand_policy if hand_policy is None else hand_policy,
        stage_locked=rules.stage_locked if stage_locked is None else stage_locked,
        fair_floor=rules.fair_floor if fair_floor is None else fair_floor,
    )
    return Outcome(with_rules(stage, edited))


def widened(visibility: Visibility, wanted: Visibility) -> Visibility:
    """Whoever came in while they might must not be in a room that is no longer for them. Raises CannotNarrow."""
    if _WIDENING.index(wanted) < _WIDENING.index(visibility):
        raise CannotNarrow(field="visibility")
    return wanted
