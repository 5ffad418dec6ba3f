"""The chat: slow mode, who may delete, and which messages are still shown."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from salon.conversation.domain.participant import Participant, Terms, require_present, require_writing
from salon.conversation.enums import Part
from salon.conversation.errors import SlowMode
from salon.rooms.errors import NotAModerator

SHOWN = 100
"""How many messages a watcher keeps; docs/protocol.md section 7."""


def require_may_post(terms: Terms, participant: Participant, last_posted_at: datetime | None, now: datetime) -> None:
    """last_posted_at: of the participant's last message in this room, a deleted one too: deleting must not buy a quicker next one.

    Raises what require_writing raises, and SlowMode, which spares moderators.
    """
    require_writing(terms, participant, Part.CHAT)
    if participant.moderates or last_posted_at is None:
        return
    wait = last_posted_at + timedelta(seconds=terms.slow_mode_secs) - now
    if wait > timedelta():
        raise SlowMode(retry_after_secs=ceil(wait.total_seconds()))


def require_may_delete(terms: Terms, participant: Participant, author: str) -> None:
    """Raises what require_present raises, and NotAModerator for who neither wrote it nor moderates."""
    require_present(terms, participant)
    if participant.person != author and not participant.moderates:
        raise NotAModerator


def shown_from(shown: Sequence[int], before: int) -> int:
    """The number from which messages are shown once one more is posted: the oldest goes where there would be too many.

    shown: the numbers of those shown until then, newest first. before: the number from which they were shown.
    """
    return shown[SHOWN - 2] if len(shown) >= SHOWN - 1 else before
