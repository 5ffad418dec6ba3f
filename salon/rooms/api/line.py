"""One's place in line for a full room; docs/protocol.md section 3."""

from django.http import HttpRequest
from ninja import Router, Status

from salon.accounts.callers import caller_of
from salon.common.wire import ErrorBody, refusals
from salon.rooms.actions import line
from salon.rooms.actions.line import Line

router = Router()


class RoomFullBody(ErrorBody):
    """The refusal `room_full` says where in line one is now; other refusals leave `line` out."""

    line: Line | None = None


@router.get("/rooms/{room_id}/line", operation_id="ask_line", response={200: Line, **refusals(404, 410)})
def ask_line(request: HttpRequest, room_id: str) -> Line:
    return line.ask_line(caller_of(request), room_id)


@router.delete("/rooms/{room_id}/line", operation_id="leave_line", response={204: None, **refusals(404, 410)})
def leave_line(request: HttpRequest, room_id: str) -> Status[None]:
    line.leave_line(caller_of(request), room_id)
    return Status(204, None)
