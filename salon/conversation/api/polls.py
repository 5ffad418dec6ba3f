from django.http import HttpRequest
from ninja import Router
from typing_extensions import TypedDict

from salon.accounts.callers import caller_of
from salon.common.wire import refusals
from salon.conversation.queries import has_voted_in, shown_poll
from salon.conversation.shapes import Poll, poll_shape
from salon.rooms.access import access_room_by_id

router = Router()


class PollToMe(TypedDict):
    """counts: as they stand, one for each option. voted: whether the caller has, not for what: that is written nowhere."""

    poll: Poll | None
    counts: list[int] | None
    voted: bool


@router.get("/rooms/{room_id}/poll", operation_id="room_poll", response={200: PollToMe, **refusals(404)})
def room_poll(request: HttpRequest, room_id: str) -> PollToMe:
    caller = caller_of(request)
    poll = shown_poll(access_room_by_id(caller, room_id).id)
    if poll is None:
        return {"poll": None, "counts": None, "voted": False}
    voted = caller.person is not None and has_voted_in(poll, caller.person.id)
    return {"poll": poll_shape(poll), "counts": list(poll.counts), "voted": voted}
