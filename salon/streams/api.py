"""POST /internal/snapshot; docs/subsystems/processes.md."""

from django.http import HttpRequest, JsonResponse
from pydantic import BaseModel, Field, ValidationError

from salon.common.errors import Invalid
from salon.streams.kinds import Watcher
from salon.streams.snapshots import Missed, open_stream


class SnapshotRequest(BaseModel):
    stream: str = Field(max_length=64)
    person: str | None = None
    visitor: str | None = None
    after: int | None = Field(default=None, ge=0)


def snapshot(request: HttpRequest) -> JsonResponse:
    try:
        wanted = SnapshotRequest.model_validate_json(request.body)
    except ValidationError as error:
        raise Invalid from error
    opened = open_stream(Watcher(wanted.person, wanted.visitor), wanted.stream, wanted.after)
    answer = {"seq": opened.seq} | ({"events": opened.events} if isinstance(opened, Missed) else {"state": opened.state})
    return JsonResponse(answer if opened.tally is None else {**answer, "tally": opened.tally})
