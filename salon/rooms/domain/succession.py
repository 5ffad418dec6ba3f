"""Who runs the room when its host is gone: docs/subsystems/stage.md, "Succession".

`with_grace` starts and stops the clock after every change of a room; `succeed` acts when it has run out.
"""

from collections.abc import Set
from dataclasses import replace
from datetime import datetime, timedelta

from salon.rooms.domain.moderators import with_role
from salon.rooms.domain.mutes import released
from salon.rooms.domain.room_stage import Happening, Outcome, PersonId, RoomStage, StagePlace, with_rules
from salon.rooms.enums import Phase, Role

# A lift, a tunnel, a change of network: whoever comes back within it has not been replaced meanwhile.
GRACE = timedelta(seconds=30)


def needs_grace(stage: RoomStage, *, anybody_in: bool = True) -> bool:
    """Whether the role of host should pass on: its holder is out, and their deputy is there, or no moderator is.

    anybody_in: whether somebody is in the room; listeners need not be on the stage the rules see. An empty room ends by itself.
    """
    host = stage.host
    if stage.phase is not Phase.LIVE or not anybody_in or (host is not None and host.is_in):
        return False
    return _deputy_who_is_in(stage) is not None or not _a_moderator_is_in(stage)


def with_grace(stage: RoomStage, now: datetime, *, anybody_in: bool = True) -> RoomStage:
    """The stage with its grace begun, still running, or over because it is no longer needed. For after every outcome.

    A moderator who is back ends `host_away`, too.
    """
    rules = stage.rules
    host_away = rules.host_away and stage.phase is Phase.LIVE and not _a_moderator_is_in(stage)
    if host_away or not needs_grace(stage, anybody_in=anybody_in):
        settled = replace(rules, grace_ends_at=None, host_away=host_away)
    else:
        settled = replace(rules, grace_ends_at=rules.grace_ends_at or now + GRACE, host_away=False)
    return stage if settled == rules else with_rules(stage, settled)


def succeed(stage: RoomStage, now: datetime, ever_moderated: Set[PersonId] = frozenset(), *, anybody_in: bool = True) -> Outcome:
    """The role of host to the deputy; else to who has been on the stage longest of those who ever moderated; else nobody: `host_away`.

    ever_moderated: people who moderated other rooms of this room's club; those of this room the places know.
    Changes nothing before `grace_ends_at`; takes the grace back where it is no longer needed.
    """
    if stage.rules.grace_ends_at is None or now < stage.rules.grace_ends_at:
        return Outcome(stage)
    over = with_rules(stage, replace(stage.rules, grace_ends_at=None))
    if not needs_grace(stage, anybody_in=anybody_in):
        return Outcome(over)
    successor = _deputy_who_is_in(stage) or next(
        (place for place in stage.on_stage() if place.ever_moderated or place.person in ever_moderated), None
    )
    if successor is None:
        return Outcome(with_rules(over, replace(over.rules, host_away=True)))
    return with_host(over, successor.person)


def with_host(stage: RoomStage, person: PersonId) -> Outcome:
    """The role of host from who holds it, who stays a moderator, to `person`."""
    happened: tuple[Happening, ...] = ()
    if stage.host is not None:
        outcome = with_role(stage, stage.host, Role.MODERATOR)
        stage, happened = outcome.stage, outcome.happened
    outcome = with_role(stage, replace(stage.places[person], silenced=False), Role.HOST)
    # Nobody has the power to hold the host's mute, so none stays held from before.
    freed = released(outcome.stage, outcome.stage.places[person])
    return Outcome(freed.stage, (*happened, *outcome.happened, *freed.happened))


def _deputy_who_is_in(stage: RoomStage) -> StagePlace | None:
    place = stage.places.get(stage.rules.deputy) if stage.rules.deputy is not None else None
    return place if place is not None and place.is_in else None


def _a_moderator_is_in(stage: RoomStage) -> bool:
    return any(place.is_in and place.role.moderates for place in stage.places.values())
