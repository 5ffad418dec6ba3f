"""What takes two moderators: the request that one opens."""

from datetime import timedelta

from salon.accounts.models import Person
from salon.rooms.actions.acted import Acted
from salon.rooms.actions.locked_room import LockedRoom
from salon.rooms.domain.large_acts import require_other_moderator
from salon.rooms.domain.room_stage import Outcome, PersonId
from salon.rooms.enums import LargeAct
from salon.rooms.errors import AlreadyRequested
from salon.rooms.events import moderation_stream
from salon.rooms.models import SecondModeratorRequest
from salon.rooms.shapes import open_request
from salon.streams.events import NewEvent

# Long enough to read who asks for what, short enough that nobody confirms what has passed.
CONFIRMED_WITHIN = timedelta(minutes=2)


def ask_second_moderator(
    locked: LockedRoom, act: LargeAct, *, by: Person, target: Person | None = None, fields: dict[str, object] | None = None
) -> Acted:
    """Open a request instead of doing it. fields: the command's own, as they were asked. Raises NeedsSecondModerator, AlreadyRequested."""
    require_other_moderator(locked.stage, PersonId(by.id))
    if locked.room.requests.filter(action=act, target=target, settled_at=None, expires_at__gt=locked.now).exists():
        raise AlreadyRequested
    request = SecondModeratorRequest.objects.create(
        room=locked.room, action=act, by=by, target=target, fields=fields or {}, at=locked.now, expires_at=locked.now + CONFIRMED_WITHIN
    )
    opened = NewEvent(moderation_stream(locked.room.id), "request_opened", {**open_request(request)})
    return Acted(locked.commit(Outcome(locked.stage), f"ask_{act}", actor=by, target=target, events=[opened]), request.id)
