"""Changing a live room's settings."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction

from salon.accounts.callers import Caller
from salon.rooms.access import access_room_as_person
from salon.rooms.actions.line import admit_from_line
from salon.rooms.actions.locked_room import Record, locked_room
from salon.rooms.domain import editing
from salon.rooms.domain.room_stage import PersonId
from salon.rooms.settings import clean_settings
from salon.rooms.shapes import room_fields

# What a rule decides about; the rest is written as it is.
_RULED = ("visibility", "hand_policy", "stage_locked", "fair_floor")


def edit_room(caller: Caller, room_id: str, settings: Mapping[str, Any]) -> int:
    """settings: those to change, as `settings.clean_settings` takes them.

    Returns the number of the room's stream. Raises Invalid, and what the door and domain.editing.edit_room raise.
    """
    room, moderator = access_room_as_person(caller, room_id)
    cleaned = clean_settings(settings)
    with locked_room(room, moderator) as locked:
        outcome = editing.edit_room(locked.stage, PersonId(moderator.id), **{name: cleaned[name] for name in _RULED if name in cleaned})
        plain = {name: value for name, value in cleaned.items() if name not in _RULED}
        for name, value in plain.items():
            setattr(locked.room, name, value)
        if plain:
            locked.room.save(update_fields=list(plain))
        if "capacity" in plain:
            transaction.on_commit(partial(admit_from_line, locked.room), robust=True)
        before = room_fields(locked.before)
        changed = {name: value for name, value in cleaned.items() if value != before[name]}  # type: ignore[literal-required]
        return locked.commit(outcome, "edit_room", actor=moderator, data=changed, record=Record.LOG)
