"""Reacting: said to everybody who is there, and kept nowhere."""

from salon.accounts.callers import Caller
from salon.bus import publish_on_commit
from salon.conversation.actions.standing import standing_of
from salon.conversation.domain.participant import require_part
from salon.conversation.enums import Part, ReactionKind
from salon.conversation.events import conversation_stream
from salon.streams.events import newest_seq


def react(caller: Caller, room_id: str, kind: ReactionKind) -> int:
    """Returns the number of the conversation's stream, which stays as it is. Raises what the door and require_part raise."""
    at = standing_of(caller, room_id)
    require_part(at.terms, at.participant, Part.REACTIONS)
    publish_on_commit(f"reaction.{at.room.id}", {"person": at.person.id, "kind": kind.value})
    return newest_seq(conversation_stream(at.room.id))
