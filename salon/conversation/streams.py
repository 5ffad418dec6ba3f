"""The stream `conversation/ID`: for whoever may enter the room. docs/protocol.md section 7."""

from salon.conversation.queries import conversation_of
from salon.conversation.tally import tally_of
from salon.rooms.streams import admit_to_room
from salon.streams.events import Json
from salon.streams.kinds import StreamKind, register


def register_kinds() -> None:
    register(StreamKind("conversation", admit_to_room, _state, tally=_tally))


def _state(room_id: str) -> Json:
    return {**conversation_of(room_id)}


def _tally(room_id: str) -> Json:
    return {**tally_of(room_id)}
