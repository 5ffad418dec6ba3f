from typing import Annotated

from pydantic import Field

from salon.accounts.callers import Caller
from salon.conversation.actions import polls
from salon.conversation.messages.fields import IdField
from salon.conversation.rate_limits import VOTES, take
from salon.rooms.messages.message import Fields, Message


class VotePoll(Fields):
    poll: IdField
    option: Annotated[int, Field(ge=0, description="Index of the poll's options")]


def act(caller: Caller, room_id: str, fields: VotePoll) -> int:
    take(VOTES, caller)
    return polls.vote_poll(caller, room_id, fields.poll, fields.option)


MESSAGE = Message("vote_poll", VotePoll, act, "Choose an answer of a poll, once and secretly")
