"""Passing the role of host on when the grace is over. docs/subsystems/stage.md, "Succession"."""

import logging

from salon.accounts.models import Person
from salon.rooms.actions.locked_room import LockedRoom, Record, locked_room
from salon.rooms.clubs import clubs
from salon.rooms.domain.room_stage import PersonId
from salon.rooms.domain.succession import succeed
from salon.rooms.models import Room

logger = logging.getLogger(__name__)

SUCCESSION = "succession"
"""The action, and the cause, of what nobody commanded."""


def settle_succession(room: Room) -> bool:
    """Do what the end of the grace asks for. Returns whether it was over; before it nothing changes."""
    with locked_room(room) as locked:
        grace_ends_at = locked.stage.rules.grace_ends_at
        if not locked.room.is_live or grace_ends_at is None or locked.now < grace_ends_at:
            return False
        outcome = succeed(locked.stage, locked.now, _ever_moderated(locked), anybody_in=locked.anybody_in())
        host = outcome.stage.host
        passed_on = host is not None and host != locked.stage.host
        target = Person.objects.get(id=host.person) if host is not None and passed_on else None
        # A grace that was no longer needed is taken back without a word.
        record = Record.LOG if passed_on or outcome.stage.rules.host_away else Record.NOWHERE
        locked.commit(outcome, SUCCESSION, actor=None, target=target, record=record)
        logger.info("The grace of a room is over.", extra={"action": "grace_over", "room": room.id, "host": target.id if target else None})
        return True


def _ever_moderated(locked: LockedRoom) -> set[PersonId]:
    """In other rooms of the club, if it is a club's; the places know who did in this one."""
    if not locked.room.club:
        return set()
    on_stage = [place.person for place in locked.stage.on_stage()]
    return {PersonId(person) for person in clubs().ever_moderated(locked.room.club, on_stage)}
