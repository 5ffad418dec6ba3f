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
from .message import Message

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
MESSAGES: Mapping[str, Message[Any]] = MappingProxyType({module.MESSAGE.name: module.MESSAGE for module in _MODULES})
