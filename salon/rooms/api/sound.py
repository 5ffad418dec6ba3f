"""WHIP (RFC 9725) for speaking, WHEP for listening; docs/protocol.md section 5."""

from dataclasses import replace
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Router

from salon.accounts.callers import Caller, caller_of
from salon.accounts.rate_limits import client_address
from salon.common.errors import TooLarge
from salon.common.wire import refusals
from salon.config.environment import environment
from salon.rooms import media, sdp
from salon.rooms.actions import sound
from salon.rooms.api.line import RoomFullBody
from salon.rooms.errors import UnsupportedMediaType
from salon.rooms.rate_limits import SOUND, VISITORS_SOUND

router = Router(tags=["sound"])

_SDP = "application/sdp"
_FRAGMENT = "application/trickle-ice-sdpfrag"


def _spoken(content_type: str, *answers: str) -> dict[str, Any]:
    """What OpenAPI says of bodies that ninja does not parse."""
    body = {"required": True, "content": {content_type: {"schema": {"type": "string", "maxLength": sdp.LONGEST}}}}
    responses = {status: {"description": "", "content": {content_type: {"schema": {"type": "string"}}}} for status in answers}
    return {"requestBody": body, "responses": responses}


_REFUSALS = refusals(404, 410, 415, 429, 503)


@router.post(
    "/rooms/{room_id}/listen",
    response={**_REFUSALS, 429: RoomFullBody},
    operation_id="listen",
    openapi_extra=_spoken(_SDP, "201"),
    summary="Enter the room and hear it (WHEP)",
)
def listen(request: HttpRequest, room_id: str) -> HttpResponse:
    caller = _caller(request)
    return _created(sound.listen(caller, room_id, _body(request, _SDP)))


@router.post(
    "/rooms/{room_id}/speak",
    response=_REFUSALS,
    operation_id="speak",
    openapi_extra=_spoken(_SDP, "201"),
    summary="Be heard, from the stage (WHIP)",
)
def speak(request: HttpRequest, room_id: str) -> HttpResponse:
    caller = _caller(request)
    return _created(sound.speak(caller, room_id, _body(request, _SDP)))


@router.patch(
    "/media/{session_id}",
    response={204: None, **refusals(404, 412, 415, 428, 429, 503)},
    operation_id="patch_session",
    openapi_extra=_spoken(_FRAGMENT, "200"),
    summary="Restart ICE",
)
def patch_session(request: HttpRequest, session_id: str) -> HttpResponse:
    caller = _caller(request)
    restarted = sound.patch_session(caller, session_id, _body(request, _FRAGMENT), request.headers.get("If-Match"))
    if restarted is None:
        return HttpResponse(status=204)
    return HttpResponse(restarted.fragment, content_type=_FRAGMENT, headers={"ETag": restarted.etag})


@router.delete(
    "/media/{session_id}",
    response={200: None, **refusals(404, 503)},
    operation_id="close_session",
    summary="End a sound session; ending the listening one leaves the room",
)
def close_session(request: HttpRequest, session_id: str) -> HttpResponse:
    sound.close_session(caller_of(request), session_id)
    return HttpResponse(status=200)


def _caller(request: HttpRequest) -> Caller:
    caller = caller_of(request)
    SOUND.take(caller.person.id if caller.person else str(caller.visitor))
    address = client_address(request)
    if caller.visitor and not environment().is_development:  # there everybody comes from one address
        VISITORS_SOUND.take(address)
    return replace(caller, address=address)


def _body(request: HttpRequest, content_type: str) -> str:
    """Raises UnsupportedMediaType, TooLarge, InvalidSdp."""
    if request.content_type != content_type:
        raise UnsupportedMediaType
    try:
        return sdp.read_sdp(request.body)
    except RequestDataTooBig:
        raise TooLarge from None


def _created(opened: media.OpenedSession) -> HttpResponse:
    return HttpResponse(
        opened.answer, status=201, content_type=_SDP, headers={"Location": f"/api/v1/media/{opened.session}", "ETag": opened.etag}
    )
