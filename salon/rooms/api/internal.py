"""What the gateway and the media process ask; docs/subsystems/processes.md."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from pydantic import BaseModel, ValidationError

from salon.accounts.callers import Caller
from salon.accounts.errors import SignInRequired
from salon.accounts.models import Person
from salon.common.errors import Invalid
from salon.rooms.commands import Terms, run_named
from salon.rooms.models import Room
from salon.rooms.policy import policies_of
from salon.social.relations import who_blocked
from salon.streams.api import snapshot

T = TypeVar("T", bound=BaseModel)


class CommandRequest(BaseModel):
    person: str
    room: str
    name: str
    data: dict[str, Any]
    key: str | None = None
    seq: int | None = None


class PoliciesRequest(BaseModel):
    rooms: dict[str, int]


class BlocksRequest(BaseModel):
    person: str


def command(request: HttpRequest) -> HttpResponse:
    wanted = _parsed(CommandRequest, request)
    person = Person.objects.filter(id=wanted.person, is_active=True).first()
    if person is None:
        raise SignInRequired
    caller = Caller(person, None, translation.get_language() or "")
    return JsonResponse(run_named(caller, wanted.room, wanted.name, wanted.data, Terms(wanted.key, wanted.seq)))


def policies(request: HttpRequest) -> HttpResponse:
    """Newer ones than those named. A room that does not exist here any more is not among them."""
    known = _parsed(PoliciesRequest, request).rooms
    newer = [room for room in Room.objects.filter(id__in=known) if room.policy_version > known[room.id]]
    return JsonResponse({"policies": policies_of(newer)})


def blocks(request: HttpRequest) -> HttpResponse:
    """By whom somebody is blocked: for the gateway, which keeps rooms of theirs out of that person's hallway."""
    return JsonResponse({"blocked_by": sorted(who_blocked(_parsed(BlocksRequest, request).person))})


def _parsed(model: type[T], request: HttpRequest) -> T:
    try:
        return model.model_validate_json(request.body)
    except ValidationError as error:
        raise Invalid from error


internal_views: Mapping[str, Callable[[HttpRequest], HttpResponse]] = {
    "snapshot": snapshot,
    "command": command,
    "policies": policies,
    "blocks": blocks,
}
