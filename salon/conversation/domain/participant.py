"""Who may write, vote and react at all: the order in which everything is refused is this file's."""

from dataclasses import dataclass

from salon.conversation.enums import Part
from salon.rooms.errors import NotAModerator, NotInRoom, RoomEnded, Silenced, SwitchedOff


@dataclass(frozen=True, slots=True)
class Terms:
    """What a room allows now. on: the parts that no moderator has switched off."""

    is_live: bool
    on: frozenset[Part]
    slow_mode_secs: int


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who asks, as they stand in the room."""

    person: str
    is_in: bool
    moderates: bool
    silenced: bool


def require_present(terms: Terms, participant: Participant) -> None:
    """Raises RoomEnded, NotInRoom."""
    if not terms.is_live:
        raise RoomEnded
    if not participant.is_in:
        raise NotInRoom


def require_part(terms: Terms, participant: Participant, part: Part) -> None:
    """For whoever makes something new in `part`; what is there already can be cleaned up while it is off.

    Raises what require_present raises, and SwitchedOff: for moderators too, who can switch it on again.
    """
    require_present(terms, participant)
    if part not in terms.on:
        raise SwitchedOff


def require_writing(terms: Terms, participant: Participant, part: Part) -> None:
    """Raises what require_part raises, and Silenced."""
    require_part(terms, participant, part)
    if participant.silenced:
        raise Silenced


def require_moderator(terms: Terms, participant: Participant, part: Part | None = None) -> None:
    """part: what the moderator makes something new in; None for cleaning up. Raises RoomEnded, NotInRoom, NotAModerator, SwitchedOff."""
    require_present(terms, participant)
    if not participant.moderates:
        raise NotAModerator
    if part is not None:
        require_part(terms, participant, part)
