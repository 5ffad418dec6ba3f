from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict
from typing_extensions import TypedDict

from salon.accounts.callers import caller_of, person_of
from salon.common.wire import refusals
from salon.rooms import queries
from salon.rooms.access import access_room_by_id, require_listening_allowed
from salon.rooms.actions.open_room import open_room as act_open_room
from salon.rooms.enums import HandPolicy, Visibility
from salon.rooms.rate_limits import ROOMS_OPENED
from salon.rooms.settings import (
    CapacityField,
    ClubField,
    LanguageField,
    SlowModeSecsField,
    SwitchField,
    TitleField,
    TopicField,
    TurnSecsField,
)
from salon.rooms.shapes import RoomBody, RoomCard

router = Router()


class NewRoom(Schema):
    """Settings that are left out are as these defaults say; the club is set here and never changed."""

    model_config = ConfigDict(extra="forbid")

    title: TitleField
    topic: TopicField = ""
    language: LanguageField
    visibility: Visibility = Visibility.OPEN
    club: ClubField | None = None
    locked: SwitchField = False
    capacity: CapacityField | None = None
    hand_policy: HandPolicy = HandPolicy.EVERYONE
    stage_locked: SwitchField = False
    fair_floor: SwitchField = False
    turn_secs: TurnSecsField | None = None
    chat: SwitchField = True
    questions: SwitchField = True
    links: SwitchField = True
    reactions: SwitchField = True
    polls: SwitchField = True
    slow_mode_secs: SlowModeSecsField = 0


class Hallway(TypedDict):
    rooms: list[RoomCard]


@router.get("/hallway", operation_id="hallway", response={200: Hallway, **refusals()})
def hallway(request: HttpRequest, language: Annotated[str | None, Query(max_length=35)] = None) -> dict[str, Any]:
    caller = caller_of(request)
    require_listening_allowed(caller)
    return {"rooms": queries.hallway(caller, language=language)}


@router.post("/rooms", operation_id="open_room", response={201: RoomBody, **refusals(404, 429)})
def open_room(request: HttpRequest, new: NewRoom) -> Status[RoomBody]:
    host = person_of(request)
    ROOMS_OPENED.take(host.id)
    settings = new.model_dump(exclude_unset=True, exclude={"club"})
    room = act_open_room(host, club=new.club or "", **settings)
    return Status(201, queries.room_body(caller_of(request), room))


@router.get("/rooms/{room_id}", operation_id="get_room", response={200: RoomBody, **refusals(404)})
def get_room(request: HttpRequest, room_id: str) -> RoomBody:
    caller = caller_of(request)
    return queries.room_body(caller, access_room_by_id(caller, room_id))
