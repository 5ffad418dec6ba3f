from salon.accounts.callers import Caller
from salon.conversation.actions import questions
from salon.conversation.messages.fields import OneQuestion
from salon.rooms.messages.message import Message


def act(caller: Caller, room_id: str, fields: OneQuestion) -> int:
    return questions.close_question(caller, room_id, fields.question)


MESSAGE = Message("close_question", OneQuestion, act, "Close a question: answered, or not wanted")
