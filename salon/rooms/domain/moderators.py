"""Becoming a moderator and ceasing to be one, by somebody's decision. What happens without one is in `succession`."""

from dataclasses import replace

from salon.rooms.domain.roles import is_host, place_named, require_host, require_moderator
from salon.rooms.domain.room_stage import Outcome, PersonId, RoleChanged, RoomStage, StagePlace, with_place, with_rules
from salon.rooms.enums import Role
from salon.rooms.errors import AlreadyModerator, CannotActOnModerator, CannotActOnOneself, NotModerating, OnlyHost, at_field


def appoint_moderator(stage: RoomStage, actor: PersonId, person: PersonId) -> Outcome:
    """On the stage or off it. Raises RoomEnded, NotInRoom, NotAModerator, AlreadyModerator."""
    stage.require_live()
    require_moderator(stage, actor)
    with at_field("person"):
        target = stage.place_of(person)
        if target.role.moderates:
            raise AlreadyModerator
    return _appointed(stage, target)


def revoke_moderator(stage: RoomStage, actor: PersonId, person: PersonId) -> Outcome:
    """By the host, also of somebody who left; or by oneself.

    Raises RoomEnded, NotInRoom, NotAModerator, NotModerating, CannotActOnModerator for the host, OnlyHost.
    """
    stage.require_live()
    moderator = require_moderator(stage, actor)
    target = place_named(stage, person)
    if not target.role.moderates:
        raise NotModerating(field="person")
    if is_host(stage, target):
        raise CannotActOnModerator(field="person")
    if person != actor and moderator.role is not Role.HOST:
        raise OnlyHost
    outcome = with_role(stage, target, Role.SPEAKER if target.on_stage else Role.LISTENER)
    return replace(outcome, stage=without_deputy(outcome.stage, person))


def name_deputy(stage: RoomStage, actor: PersonId, person: PersonId | None) -> Outcome:
    """Who succeeds the host; None for nobody any more. The deputy of before stays a moderator.

    Raises RoomEnded, NotInRoom, NotAModerator, OnlyHost, CannotActOnOneself.
    """
    stage.require_live()
    require_host(stage, actor)
    if person is None:
        return Outcome(with_rules(stage, replace(stage.rules, deputy=None)))
    if person == actor:
        raise CannotActOnOneself(field="person")
    with at_field("person"):
        target = stage.place_of(person)
    outcome = Outcome(stage) if target.role.moderates else _appointed(stage, target)
    return replace(outcome, stage=with_rules(outcome.stage, replace(stage.rules, deputy=person)))


def with_role(stage: RoomStage, place: StagePlace, role: Role) -> Outcome:
    """`place` with another role, told to those who see it on the stage."""
    changed = replace(place, role=role, ever_moderated=place.ever_moderated or role.moderates)
    return Outcome(with_place(stage, changed), (RoleChanged(place.person, role),) if place.on_stage else ())


def without_deputy(stage: RoomStage, person: PersonId) -> RoomStage:
    """The stage with no deputy, if `person` was it."""
    return with_rules(stage, replace(stage.rules, deputy=None)) if stage.rules.deputy == person else stage


def _appointed(stage: RoomStage, target: StagePlace) -> Outcome:
    # Whom one trusts to moderate one trusts to write.
    return with_role(stage, replace(target, silenced=False), Role.MODERATOR)
