"""Votes as they stand: said anew as a whole with each change, never numbered. docs/subsystems/conversation.md, "Votes"."""

from typing_extensions import TypedDict

from salon.bus import publish_on_commit
from salon.common.locks import lock_name
from salon.conversation.enums import QuestionState
from salon.conversation.models import Poll, Question


class PollCounts(TypedDict):
    id: str
    counts: list[int]


class Tally(TypedDict):
    """votes: by question, of those that are listed and have any. poll: the open one."""

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


def lock_tally(room_id: str) -> None:
    """Until the transaction ends nobody else publishes this room's tally, so each tally has in it what the one before it had. Two votes at
    once, neither of which sees the other, would otherwise publish two tallies that lack one. Taken before streams are.
    """
    lock_name(f"tally {room_id}")


def publish_tally(room_id: str) -> None:
    """After votes changed, in that transaction: before it emits, or under `lock_tally` taken before."""
    lock_tally(room_id)
    publish_on_commit(f"tally.{room_id}", {**tally_of(room_id)})
