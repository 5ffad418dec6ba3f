"""Carrying out a command, whichever way it came: at a bearable rate, and once however often it is retried."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NotRequired, cast

from django.db import IntegrityError, transaction
from django.utils import timezone
from pydantic import ValidationError
from typing_extensions import TypedDict

from salon.accounts.callers import Caller
from salon.accounts.errors import SignInRequired
from salon.accounts.models import Person
from salon.common.errors import Invalid
from salon.common.json_sizes import holds_too_many_values
from salon.config.environment import derived_secret, environment
from salon.rooms.access import access_room_by_id
from salon.rooms.actions.acted import Acted
from salon.rooms.errors import IdempotencyMismatch, NotInRoom, RoomEnded, RoomMovedOn, RoomNotFound
from salon.rooms.events import room_stream
from salon.rooms.messages import MESSAGES
from salon.rooms.messages.message import Fields, Message
from salon.rooms.models import CommandReceipt, Room
from salon.rooms.models.command_receipt import KEY_MAX
from salon.rooms.queries import room_body
from salon.rooms.rate_limits import COMMANDS
from salon.streams.events import newest_seq

RECEIPTS_KEPT = timedelta(minutes=10)


class Answer(TypedDict):
    """seq: the number of the room's stream after the change. id: of what was made, where something was."""

    seq: int
    id: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Terms:
    """key: the client's own, or None; the same within ten minutes gets the first answer and does nothing again.
    seq: carry it out only while the room's stream has this number.
    """

    key: str | None = None
    seq: int | None = None


def run_named(caller: Caller, room_id: str, name: str, data: object, terms: Terms) -> Answer:
    """For a command that names itself: parse, then `run`. Raises Invalid for an unknown name or fields that do not fit."""
    message = MESSAGES.get(name)
    if message is None:
        raise Invalid(field="name")
    if holds_too_many_values(data):
        raise Invalid
    try:
        fields = message.fields.model_validate(data)
    except ValidationError as error:
        raise Invalid(field=_field_at_fault(error)) from error
    return run(caller, room_id, message, fields, terms)


def run(caller: Caller, room_id: str, message: Message[Any], fields: Fields, terms: Terms) -> Answer:
    """Raises what the action raises, SignInRequired, TooManyRequests, IdempotencyMismatch, RoomMovedOn. A refusal that says that
    the room, or one's place in it, is not what the client believed carries `present`, what they are now.
    """
    if caller.person is None:
        raise SignInRequired
    COMMANDS.take(caller.person.id)
    try:
        return _run(caller, caller.person, room_id, terms, message, fields)
    except (RoomEnded, NotInRoom, RoomMovedOn) as refusal:
        # Nothing is left of the command: its transaction is rolled back.
        refusal.more = _present(caller, room_id)
        raise


def _run(caller: Caller, person: Person, room_id: str, terms: Terms, message: Message[Any], fields: Fields) -> Answer:  # noqa: PLR0917
    def act() -> Answer:
        if terms.seq is None:
            return _answer(message.act(caller, room_id, fields))
        with transaction.atomic():
            _require_seq(access_room_by_id(caller, room_id), terms.seq)
            return _answer(message.act(caller, room_id, fields))

    key = terms.key
    if key is None:
        return act()
    if not 0 < len(key) <= KEY_MAX or not key.isprintable():
        raise Invalid(field="Idempotency-Key")
    room = access_room_by_id(caller, room_id)
    digest = _digest(room.id, message.name, fields.model_dump(mode="json", exclude_unset=True))
    return _once(person, key, room.id, digest, act)


def _require_seq(room: Room, seq: int) -> None:
    """Under the lock that every change of the room takes, so that nothing comes between the look and the deed."""
    Room.objects.select_for_update(of=("self",), no_key=True).get(id=room.id)
    if newest_seq(room_stream(room.id)) != seq:
        raise RoomMovedOn


def _present(caller: Caller, room_id: str) -> Mapping[str, object]:
    """The room and one's place in it as they are now; nothing where the door has closed meanwhile."""
    try:
        room = access_room_by_id(caller, room_id)
    except RoomNotFound:
        return {}
    # The number first: what changes after it is told by the events that follow it.
    seq = newest_seq(room_stream(room.id))
    body = room_body(caller, room)
    return {"present": {"seq": seq, "state": body["state"], "mine": body["mine"]}}


def forget_old_receipts() -> int:
    return CommandReceipt.objects.filter(at__lt=timezone.now() - RECEIPTS_KEPT).delete()[0]


def _answer(acted: int | Acted) -> Answer:
    if isinstance(acted, int):
        return {"seq": acted}
    return {"seq": acted.seq} if acted.id is None else {"seq": acted.seq, "id": acted.id}


def _once(person: Person, key: str, room_id: str, digest: str, act: Callable[[], Answer]) -> Answer:
    """The receipt is written in the command's own transaction: either both are kept or neither. Of two retries at once the
    second waits on the unique key until the first has committed, and then finds its answer; a refusal leaves no receipt.
    """
    now = timezone.now()
    CommandReceipt.objects.filter(person=person, key=key, at__lt=now - RECEIPTS_KEPT).delete()
    with transaction.atomic():
        try:
            with transaction.atomic():
                receipt = CommandReceipt.objects.create(person=person, key=key, room_id=room_id, digest=digest, at=now)
        except IntegrityError:
            return _first_answer(CommandReceipt.objects.get(person=person, key=key), digest)
        answer = act()
        receipt.answer = dict(answer)
        receipt.save(update_fields=["answer"])
        return answer


def _first_answer(receipt: CommandReceipt, digest: str) -> Answer:
    if receipt.digest != digest:
        raise IdempotencyMismatch
    # Committed with its command, so a receipt that can be read has its answer.
    assert receipt.answer is not None  # noqa: S101
    return cast(Answer, receipt.answer)


def _digest(room_id: str, name: str, fields: Mapping[str, Any]) -> str:
    """With a key that is not in the database: the few answers of a poll could be tried against a bare digest."""
    command = json.dumps([room_id, name, fields], sort_keys=True).encode()
    return hmac.new(derived_secret(environment().secret_key, "receipt").encode(), command, hashlib.sha256).hexdigest()


def _field_at_fault(error: ValidationError) -> str | None:
    location = error.errors()[0]["loc"]
    return str(location[0]) if location else None
