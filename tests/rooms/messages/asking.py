"""The commands of this app, and fields that fit them."""

from salon.rooms.messages import MESSAGES
from salon.rooms.messages.message import NoFields

OWN = {name: message for name, message in MESSAGES.items() if message.act.__module__.startswith("salon.rooms.")}
"""Other apps bring commands too; they are tested there."""

_FIELDS = {
    "invite_next": {},
    "edit_room": {"title": "Another"},
    "set_status": {"status": "on_a_call"},
    "confirm_request": {"request": "r" * 26},
    "refuse_request": {"request": "r" * 26},
}


def fields_of(name: str, person: str) -> dict[str, object]:
    """About `person`, where the command is about somebody."""
    if name in _FIELDS or OWN[name].fields is NoFields:
        return _FIELDS.get(name, {})
    if name == "invite_several":
        return {"people": [person]}
    return {"person": person, "reason": "Echo"} if name == "hold_mute" else {"person": person}
