"""Rooms and people as the rules see them."""

from salon.conversation.domain.participant import Participant, Terms
from salon.conversation.enums import Part

LISTENER = Participant("listener", is_in=True, moderates=False, silenced=False)
SILENCED = Participant("silenced", is_in=True, moderates=False, silenced=True)
MODERATOR = Participant("moderator", is_in=True, moderates=True, silenced=False)
OUTSIDER = Participant("outsider", is_in=False, moderates=True, silenced=False)


def terms(*, is_live=True, on=tuple(Part), slow_mode_secs=0):
    return Terms(is_live, frozenset(on), slow_mode_secs)
