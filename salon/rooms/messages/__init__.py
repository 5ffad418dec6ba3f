"""The commands of a room, one module each: fields, action, reply. HTTP and the WebSocket are both served from this registry."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from . import (
    accept_invitation,
    appoint_moderator,
    clear_hands,
    confirm_request,
    decline_invitation,
    edit_room,
    end_room,
    hold_mute,
    invite_in,
    invite_next,
    invite_several,
    invite_to_stage,
    leave_room,
    lower_hand,
    move_to_audience,
    mute,
    mute_all,
    mute_speaker,
    name_deputy,
    ping,
    raise_hand,
    refuse_request,
    release_mute,
    remove_person,
    revoke_moderator,
    set_status,
    silence_person,
    step_down,
    step_up,
    undo_removal,
    unmute,
    unsilence_person,
)
from .message import Acted, Message

__all__ = ["MESSAGES", "Acted", "Message", "register"]

# In the order of docs/protocol.md section 4.
_MODULES = (
    raise_hand,
    lower_hand,
    step_up,
    invite_to_stage,
    invite_next,
    invite_several,
    clear_hands,
    accept_invitation,
    decline_invitation,
    step_down,
    move_to_audience,
    set_status,
    mute,
    unmute,
    mute_speaker,
    mute_all,
    hold_mute,
    release_mute,
    remove_person,
    undo_removal,
    invite_in,
    ping,
    silence_person,
    unsilence_person,
    leave_room,
    end_room,
    appoint_moderator,
    revoke_moderator,
    name_deputy,
    edit_room,
    confirm_request,
    refuse_request,
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
