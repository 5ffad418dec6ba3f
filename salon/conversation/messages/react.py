from salon.accounts.callers import Caller
from salon.conversation.actions import reactions
from salon.conversation.enums import ReactionKind
from salon.conversation.rate_limits import REACTIONS, take
from salon.rooms.messages.message import Fields, Message


class React(Fields):
    kind: ReactionKind


def act(caller: Caller, room_id: str, fields: React) -> int:
    take(REACTIONS, caller)
    return reactions.react(caller, room_id, fields.kind)


MESSAGE = Message("react", React, act, "Clap, or send a heart, a laugh, a wow")
