from salon.accounts.callers import Caller
from salon.conversation.actions import questions
from salon.conversation.messages.fields import OneQuestion
from salon.conversation.rate_limits import VOTES, take
from salon.rooms.messages.message import Message


def act(caller: Caller, room_id: str, fields: OneQuestion) -> int:
    take(VOTES, caller)
    return questions.unvote_question(caller, room_id, fields.question)


MESSAGE = Message("unvote_question", OneQuestion, act, "Take one's vote for a question back")
