"""POST /rooms/{id}/{command}: one typed operation for each message of the registry."""

from typing import Any

from django.http import HttpRequest
from ninja import Body, Header, Router

from salon.accounts.callers import caller_of
from salon.common.wire import refusals
from salon.rooms.commands import Answer, Terms, run
from salon.rooms.messages import MESSAGES
from salon.rooms.messages.message import Message, NoFields

router = Router()
_KEY: Any = Header(None, alias="Idempotency-Key", description="For safe retries within ten minutes; at most 100 characters")  # type: ignore[type-arg]
_SEQ: Any = Header(  # type: ignore[type-arg]
    None, alias="If-Match", pattern=r'^"?\d{1,18}"?$', description="Only while the room's stream has this number; else 412"
)


def _add(message: Message[Any]) -> None:
    # A command without fields may come without a body: there is nothing it could say.
    body: Any = Body(default_factory=NoFields) if message.fields is NoFields else Body(...)  # type: ignore[type-arg]

    def operation(
        request: HttpRequest, room_id: str, fields: Any = body, idempotency_key: str | None = _KEY, if_match: str | None = _SEQ
    ) -> Answer:
        terms = Terms(idempotency_key, int(if_match.strip('"')) if if_match else None)
        return run(caller_of(request), room_id, message, fields, terms)

    # The operation's type is known only here, one for each message; ninja reads it from the annotations.
    operation.__annotations__["fields"] = message.fields
    router.post(
        f"/rooms/{{room_id}}/{message.name}",
        response={200: Answer, **refusals(404, 409, 410, 412, 429)},
        operation_id=message.name,
        summary=message.summary,
    )(operation)


for _message in MESSAGES.values():
    _add(_message)
