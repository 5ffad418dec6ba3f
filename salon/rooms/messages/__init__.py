"""The commands of a room, one module each: fields, action, reply. HTTP and the WebSocket are both served from this registry."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from . import (
    accept_invitation,
    decline_invitation,
    end_room,
    invite_to_stage,
    leave_room,
    lower_hand,
    move_to_audience,
    mute,
    mute_speaker,
    raise_hand,
    remove_person,
    step_down,
    unmute,
)
from .message import Acted, Message

__all__ = ["MESSAGES", "Acted", "Message", "register"]

_MODULES = (
    raise_hand,
    lower_hand,
    invite_to_stage,
    accept_invitation,
    decline_invitation,
    mute,
    unmute,
    mute_speaker,
    step_down,
    move_to_audience,
    remove_person,
    leave_room,
    end_room,
)
_messages: dict[str, Message[Any]] = {module.MESSAGE.name: module.MESSAGE for module in _MODULES}
MESSAGES: Mapping[str, Message[Any]] = MappingProxyType(_messages)
"""Every command by its name. Complete once all apps are ready, which is before the API is built from it."""


def register(*messages: Message[Any]) -> None:
    """For apps above this one, from their AppConfig.ready: commands of theirs in a room. Raises ValueError for a name that is taken."""
    for message in messages:
        if message.name in _messages:
            raise ValueError(f"the command {message.name!r} is registered twice")
        _messages[message.name] = message
