"""Votes as they stand, for everybody in the room: said anew as a whole with each change, never numbered. docs/subsystems/conversation.md."""

from typing_extensions import TypedDict

from salon.bus import publish_on_commit
from salon.common.locks import lock_name
from salon.conversation.enums import QuestionState
from salon.conversation.models import Poll, Question


class PollCounts(TypedDict):
    id: str
    counts: list[int]


class Tally(TypedDict):
    """votes: by question that is listed and has any. poll: the open one."""

    votes: dict[str, int]
    poll: PollCounts | None


def tally_of(room_id: str) -> Tally:
    """In two queries."""
    voted = Question.objects.filter(room=room_id, votes__gt=0).exclude(state=QuestionState.CLOSED)
    poll = Poll.objects.filter(room=room_id, closed_at=None).first()
    return {
        "votes": dict(voted.order_by("seq").values_list("id", "votes")),
        "poll": {"id": poll.id, "counts": list(poll.counts)} if poll else None,
    }


def publish_tally(room_id: str) -> None:
    """After the change, in its transaction. Publishes of one room happen one after the other, each with everything before it: of two
    votes at once, neither of which sees the other, both would publish a tally that lacks one.
    """
    lock_name(f"tally {room_id}")
    publish_on_commit(f"tally.{room_id}", {**tally_of(room_id)})
