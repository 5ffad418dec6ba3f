from typing import Any

from salon.accounts.callers import Caller
from salon.rooms.actions import edit_room
from salon.rooms.enums import HandPolicy, Visibility
from salon.rooms.settings import CapacityField, LanguageField, SlowModeSecsField, SwitchField, TitleField, TopicField, TurnSecsField

from .message import Fields, Message

# Never read: what is left out stays as it is. An explicit null is refused where the type does not allow it.
_LEFT_OUT: Any = None


class EditRoom(Fields):
    title: TitleField = _LEFT_OUT
    topic: TopicField = _LEFT_OUT
    language: LanguageField = _LEFT_OUT
    visibility: Visibility = _LEFT_OUT
    locked: SwitchField = _LEFT_OUT
    capacity: CapacityField = _LEFT_OUT
    hand_policy: HandPolicy = _LEFT_OUT
    stage_locked: SwitchField = _LEFT_OUT
    fair_floor: SwitchField = _LEFT_OUT
    turn_secs: TurnSecsField | None = _LEFT_OUT
    chat: SwitchField = _LEFT_OUT
    questions: SwitchField = _LEFT_OUT
    links: SwitchField = _LEFT_OUT
    reactions: SwitchField = _LEFT_OUT
    polls: SwitchField = _LEFT_OUT
    slow_mode_secs: SlowModeSecsField = _LEFT_OUT


def act(caller: Caller, room_id: str, fields: EditRoom) -> int:
    return edit_room.edit_room(caller, room_id, fields.model_dump(exclude_unset=True))


MESSAGE = Message("edit_room", EditRoom, act, "Change settings of a live room; what is left out stays as it is")
