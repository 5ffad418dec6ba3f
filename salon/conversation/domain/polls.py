"""Polls: one at a time, one vote each."""

from collections.abc import Sequence

from salon.conversation.domain.participant import Participant, Terms, require_moderator, require_part
from salon.conversation.enums import Part
from salon.conversation.errors import AlreadyVoted, PollClosed, PollOpen


def require_may_open(terms: Terms, participant: Participant, *, one_is_open: bool) -> None:
    """Raises RoomEnded, NotInRoom, NotAModerator, SwitchedOff, PollOpen."""
    require_moderator(terms, participant, Part.POLLS)
    if one_is_open:
        raise PollOpen


def require_may_vote(terms: Terms, participant: Participant, *, is_open: bool, has_voted: bool) -> None:
    """Raises what require_part raises, PollClosed, AlreadyVoted."""
    require_part(terms, participant, Part.POLLS)
    if not is_open:
        raise PollClosed(field="poll")
    if has_voted:
        raise AlreadyVoted(field="poll")


def require_may_close(terms: Terms, participant: Participant, *, is_open: bool) -> None:
    """Raises RoomEnded, NotInRoom, NotAModerator, PollClosed."""
    require_moderator(terms, participant)
    if not is_open:
        raise PollClosed(field="poll")


def counted(counts: Sequence[int], option: int) -> list[int]:
    """The counts with one more vote for `option`, an index of them."""
    return [count + (index == option) for index, count in enumerate(counts)]


def are_distinct(options: Sequence[str]) -> bool:
    """Whether nobody could take one option for another."""
    return len({option.casefold() for option in options}) == len(options)
