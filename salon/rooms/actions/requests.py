"""The second moderator's answer to a request, and the end of requests that nobody answered."""

from collections.abc import Callable

from salon.accounts.callers import Caller
from salon.accounts.models import Person
from salon.rooms.access import access_room_as_person
from salon.rooms.actions.end_room import carry_out_end, seat_everybody
from salon.rooms.actions.locked_room import LockedRoom, Record, locked_room
from salon.rooms.actions.remove_person import carry_out_removal
from salon.rooms.domain import lifecycle
from salon.rooms.domain.large_acts import require_second_moderator
from salon.rooms.domain.room_stage import Outcome, PersonId
from salon.rooms.enums import LargeAct, RequestOutcome
from salon.rooms.errors import NotAModerator, NotInRoom, RequestNotFound
from salon.rooms.models import Room, SecondModeratorRequest
from salon.rooms.moderation import settle_requests
from salon.rooms.stages import seats_of
from salon.streams.events import NewEvent, emit_all


def confirm_request(caller: Caller, room_id: str, request_id: str) -> int:
    """Do what another moderator has asked, as if they did it now.

    Returns the number of the room's stream. Raises what the door raises, RequestNotFound also where who asked moderates no more, and the
    refusals of domain.large_acts.require_second_moderator and of the act itself.
    """
    room, moderator = access_room_as_person(caller, room_id)
    with locked_room(room, moderator) as locked:
        request = _open_request(locked, moderator, request_id)
        data: dict[str, object] = {"confirmed_by": moderator.id}
        match LargeAct(request.action):
            case LargeAct.END_ROOM:
                seat_everybody(locked, moderator.id, request.by_id)
                outcome = _asked(request, lambda by: lifecycle.end_room(locked.stage, by))
                return carry_out_end(locked, outcome, by=request.by, data=data, events=_settled(locked, request, RequestOutcome.CONFIRMED))
            case LargeAct.REMOVE_PERSON:
                person = request.target
                assert person is not None, "a request to remove names somebody"  # noqa: S101
                locked.seats = seats_of(locked.room, moderator.id, request.by_id, person.id)
                outcome = _asked(request, lambda by: lifecycle.remove_person(locked.stage, by, PersonId(person.id)))
                return carry_out_removal(
                    locked, outcome, by=request.by, person=person, reason=request.fields["reason"], minutes=request.fields["minutes"],
                    data=data, events=_settled(locked, request, RequestOutcome.CONFIRMED),
                )  # fmt: skip


def refuse_request(caller: Caller, room_id: str, request_id: str) -> int:
    """Returns the number of the room's stream. Raises as `confirm_request`, without the act's refusals."""
    room, moderator = access_room_as_person(caller, room_id)
    with locked_room(room, moderator) as locked:
        request = _open_request(locked, moderator, request_id)
        data = {"action": request.action, "by": request.by_id}
        events = _settled(locked, request, RequestOutcome.REFUSED)
        nothing = Outcome(locked.stage)
        return locked.commit(nothing, "refuse_request", actor=moderator, target=request.target, data=data, record=Record.LOG, events=events)


def expire_requests(room: Room) -> int:
    """Settle those whose time is over. Returns how many."""
    with locked_room(room) as locked:
        expired = settle_requests(room.requests.filter(settled_at=None, expires_at__lte=locked.now), RequestOutcome.EXPIRED, locked.now)
        emit_all(expired)
        return len(expired)


def _open_request(locked: LockedRoom, moderator: Person, request_id: str) -> SecondModeratorRequest:
    """Raises RoomEnded, NotInRoom, NotAModerator, RequestNotFound, CannotActOnOneself."""
    requests = locked.room.requests.select_related("by", "target")
    request = requests.filter(id=request_id, settled_at=None, expires_at__gt=locked.now).first()
    # Who moderates nothing here learns nothing of requests either.
    require_second_moderator(locked.stage, PersonId(moderator.id), PersonId(request.by_id if request else ""))
    if request is None:
        raise RequestNotFound(field="request")
    return request


def _asked(request: SecondModeratorRequest, rule: Callable[[PersonId], Outcome]) -> Outcome:
    """The rule, for who asked: it is their act. Raises RequestNotFound where they may do it no more."""
    try:
        return rule(PersonId(request.by_id))
    except (NotAModerator, NotInRoom) as refusal:
        if refusal.field is None:
            raise RequestNotFound(field="request") from refusal
        raise


def _settled(locked: LockedRoom, request: SecondModeratorRequest, outcome: RequestOutcome) -> list[NewEvent]:
    return settle_requests(locked.room.requests.filter(id=request.id), outcome, locked.now)
