from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from salon.accounts.callers import caller_of, person_of
from salon.common.wire import refusals
from salon.rooms import queries
from salon.rooms.access import access_room_by_id, require_listening_allowed
from salon.rooms.actions.open_room import open_room as act_open_room
from salon.rooms.enums import Visibility
from salon.rooms.languages import LANGUAGE_PATTERN
from salon.rooms.models.room import TITLE_MAX, TOPIC_MAX
from salon.rooms.rate_limits import ROOMS_OPENED
from salon.rooms.shapes import RoomBody, RoomCard

router = Router()


class NewRoom(Schema):
    """Lengths are measured after cleaning (white space, invisible characters): what OpenAPI says here, the action decides."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": TITLE_MAX})]
    topic: Annotated[str, Field(json_schema_extra={"maxLength": TOPIC_MAX})] = ""
    language: Annotated[str, Field(description="BCP 47, such as fr or en-GB", json_schema_extra={"pattern": LANGUAGE_PATTERN})]
    visibility: Literal["open"] = "open"


class Hallway(TypedDict):
    rooms: list[RoomCard]


@router.get("/hallway", operation_id="hallway", response={200: Hallway, **refusals()})
def hallway(request: HttpRequest, language: Annotated[str | None, Query(max_length=35)] = None) -> dict[str, Any]:
    caller = caller_of(request)
    require_listening_allowed(caller)
    return {"rooms": queries.hallway(caller, language=language)}


@router.post("/rooms", operation_id="open_room", response={201: RoomBody, **refusals(429)})
def open_room(request: HttpRequest, new: NewRoom) -> Status[RoomBody]:
    host = person_of(request)
    ROOMS_OPENED.take(host.id)
    room = act_open_room(host, title=new.title, topic=new.topic, language=new.language, visibility=Visibility(new.visibility))
    return Status(201, queries.room_body(caller_of(request), room))


@router.get("/rooms/{room_id}", operation_id="get_room", response={200: RoomBody, **refusals(404)})
def get_room(request: HttpRequest, room_id: str) -> RoomBody:
    caller = caller_of(request)
    return queries.room_body(caller, access_room_by_id(caller, room_id))
