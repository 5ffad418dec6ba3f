from salon.accounts.callers import Caller
from salon.conversation.actions import chat
from salon.conversation.messages.fields import IdField
from salon.rooms.messages.message import Fields, Message


class DeleteMessage(Fields):
    message: IdField


def act(caller: Caller, room_id: str, fields: DeleteMessage) -> int:
    return chat.delete_message(caller, room_id, fields.message)


MESSAGE = Message("delete_message", DeleteMessage, act, "Delete a message from the chat")
