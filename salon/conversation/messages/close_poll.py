from salon.accounts.callers import Caller
from salon.conversation.actions import polls
from salon.conversation.messages.fields import IdField
from salon.rooms.messages.message import Fields, Message


class ClosePoll(Fields):
    poll: IdField


def act(caller: Caller, room_id: str, fields: ClosePoll) -> int:
    return polls.close_poll(caller, room_id, fields.poll)


MESSAGE = Message("close_poll", ClosePoll, act, "Close a poll and show how it came out")
