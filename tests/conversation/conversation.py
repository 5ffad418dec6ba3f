"""What was told of a conversation."""

from salon.streams.models import StreamEvent


def told_in(room):
    """(kind, data) of every event, oldest first."""
    return list(StreamEvent.objects.filter(stream=f"conversation/{room.id}").order_by("seq").values_list("kind", "data"))
