"""Mutes: one's own, a moderator's plain one, and the held one.

Only the speaker ends their own mute, and while a moderator holds it not even they.
"""

from dataclasses import replace
from datetime import datetime

from salon.rooms.domain.roles import place_named, require_moderator, require_power_over
from salon.rooms.domain.room_stage import Happening, MuteChanged, Outcome, PersonId, RoomStage, StagePlace, with_place
from salon.rooms.errors import AlreadyMuted, CannotActOnOneself, MuteHeld, NobodyToMute, NotHeld, NotMuted, at_field


def mute(stage: RoomStage, actor: PersonId) -> Outcome:
    """Raises RoomEnded, NotInRoom, NotOnStage, AlreadyMuted."""
    stage.require_live()
    return _muted(stage, stage.on_stage_place_of(actor), by=None)


def unmute(stage: RoomStage, actor: PersonId) -> Outcome:
    """There is no such rule for somebody else. Raises RoomEnded, NotInRoom, NotOnStage, NotMuted, MuteHeld."""
    stage.require_live()
    place = stage.on_stage_place_of(actor)
    if not place.muted:
        raise NotMuted
    if place.held:
        raise MuteHeld
    unmuted = replace(place, muted=False, muted_by=None)
    return Outcome(with_place(stage, unmuted), (MuteChanged(actor, muted=False, held=False),))


def mute_speaker(stage: RoomStage, actor: PersonId, person: PersonId) -> Outcome:
    """A plain mute may fall on anybody, the host included: an open microphone is an accident, and unmuting takes one touch.

    Raises RoomEnded, NotInRoom, NotAModerator, NotOnStage, AlreadyMuted.
    """
    stage.require_live()
    require_moderator(stage, actor)
    with at_field("person"):
        return _muted(stage, stage.on_stage_place_of(person), by=None if person == actor else actor)


def mute_all(stage: RoomStage, actor: PersonId) -> Outcome:
    """Plainly, everybody on the stage whose microphone is open, but `actor`. Raises RoomEnded, NotInRoom, NotAModerator, NobodyToMute."""
    stage.require_live()
    require_moderator(stage, actor)
    happened: list[Happening] = []
    for place in stage.on_stage():
        if place.person != actor and not place.muted:
            outcome = _muted(stage, place, by=actor)
            stage = outcome.stage
            happened += outcome.happened
    if not happened:
        raise NobodyToMute
    return Outcome(stage, tuple(happened))


def hold_mute(stage: RoomStage, actor: PersonId, person: PersonId, reason: str, now: datetime) -> Outcome:
    """Muted until a moderator releases it, wherever `person` is meanwhile: on the stage, in the audience, outside.

    reason: shown to them. Holding again keeps the time and replaces reason and holder.
    Raises RoomEnded, NotInRoom, NotAModerator, CannotActOnOneself, CannotActOnModerator.
    """
    stage.require_live()
    moderator = require_moderator(stage, actor)
    if person == actor:
        raise CannotActOnOneself(field="person")
    target = place_named(stage, person)
    require_power_over(stage, moderator, target)
    place = replace(target, held_at=target.held_at or now, held_by=actor, held_reason=reason)
    if not target.on_stage:
        return Outcome(with_place(stage, place))
    happened = () if target.held else (MuteChanged(person, muted=True, held=True),)
    return Outcome(with_place(stage, replace(place, muted=True, muted_by=actor)), happened)


def release_mute(stage: RoomStage, actor: PersonId, person: PersonId) -> Outcome:
    """What remains is a plain mute, which the person ends. Any moderator but the person themselves, whoever held it.

    Raises RoomEnded, NotInRoom, NotAModerator, CannotActOnOneself, NotHeld.
    """
    stage.require_live()
    require_moderator(stage, actor)
    if person == actor:
        raise CannotActOnOneself(field="person")
    target = place_named(stage, person)
    if not target.held:
        raise NotHeld(field="person")
    return released(stage, target)


def released(stage: RoomStage, place: StagePlace) -> Outcome:
    """`place` without a hold; it stays muted."""
    happened = (MuteChanged(place.person, muted=True, held=False),) if place.on_stage and place.held else ()
    return Outcome(with_place(stage, replace(place, held_at=None, held_by=None, held_reason="")), happened)


def _muted(stage: RoomStage, place: StagePlace, *, by: PersonId | None) -> Outcome:
    if place.muted:
        raise AlreadyMuted
    return Outcome(with_place(stage, replace(place, muted=True, muted_by=by)), (MuteChanged(place.person, muted=True, held=False),))
