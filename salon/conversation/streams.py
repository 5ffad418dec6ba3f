"""The stream `conversation/ID`: for whoever may enter the room. docs/protocol.md section 7."""

from salon.conversation.queries import conversation_of
from salon.conversation.tally import tally_of
from salon.rooms.streams import admit_to_room
from salon.streams.kinds import StreamKind, register


def register_kinds() -> None:
    register(
        StreamKind(
            "conversation", admit_to_room, lambda room_id: {**conversation_of(room_id)}, tally=lambda room_id: {**tally_of(room_id)}
        )
    )
