from salon.accounts.callers import Caller
from salon.conversation.actions import questions
from salon.conversation.enums import TakenHow
from salon.conversation.messages.fields import IdField
from salon.rooms.messages.message import Fields, Message


class TakeQuestion(Fields):
    question: IdField
    how: TakenHow


def act(caller: Caller, room_id: str, fields: TakeQuestion) -> int:
    return questions.take_question(caller, room_id, fields.question, fields.how)


MESSAGE = Message("take_question", TakeQuestion, act, "Offer its author the stage, or read it out")
