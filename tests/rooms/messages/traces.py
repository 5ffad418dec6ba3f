"""What a command leaves behind."""

from salon.rooms.models import Place, RoomAction
from salon.streams.models import StreamEvent


def told(person, room):
    """The last change of somebody's own place: (cause, who did it, why)."""
    event = StreamEvent.objects.filter(stream=f"person/{person.id}", kind="place_changed").latest("seq")
    assert event.data["room"] == room.id
    return event.data["cause"], event.data["by"] and event.data["by"]["handle"], event.data["reason"]


def recorded():
    """The newest audit record: (action, actor, target)."""
    action = RoomAction.objects.latest("id")
    return action.action, action.actor and action.actor.handle, action.target and action.target.handle


def logged(room):
    """The newest entry of the moderators' log: (action, by, target, reason)."""
    entry = StreamEvent.objects.filter(stream=f"moderation/{room.id}", kind="action_logged").latest("seq").data
    return entry["action"], entry["by"] and entry["by"]["handle"], entry["target"] and entry["target"]["handle"], entry["reason"]


def events(stream):
    """(kind, data) of everything told in a stream, oldest first."""
    return list(StreamEvent.objects.filter(stream=stream).order_by("seq").values_list("kind", "data"))


def place(person):
    return Place.objects.get(person=person)
