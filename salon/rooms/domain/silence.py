"""Closing writing to somebody: they hear and are heard as before."""

from dataclasses import replace

from salon.rooms.domain.roles import place_named, require_moderator, require_power_over
from salon.rooms.domain.room_stage import Outcome, PersonId, RoomStage, with_place


def silence_person(stage: RoomStage, actor: PersonId, person: PersonId) -> Outcome:
    """Raises RoomEnded, NotInRoom, NotAModerator, CannotActOnModerator; silencing again changes nothing."""
    return _silenced(stage, actor, person, silenced=True)


def unsilence_person(stage: RoomStage, actor: PersonId, person: PersonId) -> Outcome:
    """Raises RoomEnded, NotInRoom, NotAModerator, CannotActOnModerator; who is not silenced stays so."""
    return _silenced(stage, actor, person, silenced=False)


def _silenced(stage: RoomStage, actor: PersonId, person: PersonId, *, silenced: bool) -> Outcome:
    stage.require_live()
    moderator = require_moderator(stage, actor)
    target = place_named(stage, person)
    require_power_over(stage, moderator, target)
    if target.silenced is silenced:
        return Outcome(stage)
    return Outcome(with_place(stage, replace(target, silenced=silenced)))
