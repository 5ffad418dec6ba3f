from salon.accounts.callers import Caller
from salon.rooms.actions import requests

from .message import Message, OneRequest


def act(caller: Caller, room_id: str, fields: OneRequest) -> int:
    return requests.confirm_request(caller, room_id, fields.request)


MESSAGE = Message("confirm_request", OneRequest, act, "Do what another moderator has asked for")
