"""The events of a room's conversation: docs/protocol.md section 7.

Whoever changes what is shown emits first and writes then. Taking the stream's next number locks it until the commit, so what is written
under it, and read to write it, is in the order of the events: a row keeps its event's number as its place in that order.
"""

from collections.abc import Mapping

from salon.streams.events import NewEvent, emit_all


def conversation_stream(room_id: str) -> str:
    return f"conversation/{room_id}"


def told(room_id: str, kind: str, data: Mapping[str, object]) -> NewEvent:
    return NewEvent(conversation_stream(room_id), kind, data)


def tell(room_id: str, kind: str, data: Mapping[str, object], *besides: NewEvent) -> int:
    """Emit one event of the conversation, and `besides` of other streams. Returns its number. Once in a transaction."""
    return emit_all([told(room_id, kind, data), *besides])[conversation_stream(room_id)]
