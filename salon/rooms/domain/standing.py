"""Where a person stands in a room, and every way from one standing to the next.

A hand up, an invitation, and being on the stage are three different standings, and only the invited one's own
acceptance leads from the second to the third; where the stage is open, one's own step up does from anywhere in the
audience. This table is the only place where a standing changes.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from salon.rooms.errors import (
    AlreadyInvited,
    AlreadyOnStage,
    HandAlreadyRaised,
    HandNotRaised,
    NotInRoom,
    NotInvited,
    NotOnStage,
    RoomsError,
)


class Standing(StrEnum):
    OUT = "out"
    LISTENING = "listening"
    HAND_UP = "hand_up"
    INVITED = "invited"
    ON_STAGE = "on_stage"


class Step(StrEnum):
    ENTER = "enter"
    RETURN_TO_STAGE = "return_to_stage"
    RAISE_HAND = "raise_hand"
    LOWER_HAND = "lower_hand"
    INVITE = "invite"
    ACCEPT = "accept"
    STEP_UP = "step_up"
    DECLINE = "decline"
    LEAVE_STAGE = "leave_stage"
    LEAVE = "leave"


_OUT, _LISTENING, _HAND_UP, _INVITED, _ON_STAGE = Standing

# Every pair that is not here is refused, by the table below.
_NEXT: Mapping[tuple[Standing, Step], Standing] = MappingProxyType(
    {
        (_OUT, Step.ENTER): _LISTENING,
        (_OUT, Step.RETURN_TO_STAGE): _ON_STAGE,
        (_LISTENING, Step.RAISE_HAND): _HAND_UP,
        (_LISTENING, Step.INVITE): _INVITED,
        (_LISTENING, Step.STEP_UP): _ON_STAGE,
        (_LISTENING, Step.LEAVE): _OUT,
        (_HAND_UP, Step.LOWER_HAND): _LISTENING,
        (_HAND_UP, Step.INVITE): _INVITED,
        (_HAND_UP, Step.STEP_UP): _ON_STAGE,
        (_HAND_UP, Step.LEAVE): _OUT,
        (_INVITED, Step.LOWER_HAND): _LISTENING,
        (_INVITED, Step.ACCEPT): _ON_STAGE,
        (_INVITED, Step.STEP_UP): _ON_STAGE,
        (_INVITED, Step.DECLINE): _LISTENING,
        (_INVITED, Step.LEAVE): _OUT,
        (_ON_STAGE, Step.LEAVE_STAGE): _LISTENING,
        (_ON_STAGE, Step.LEAVE): _OUT,
    }
)

_REFUSALS: Mapping[Step, Mapping[Standing, type[RoomsError]]] = MappingProxyType(
    {
        Step.RAISE_HAND: {_OUT: NotInRoom, _HAND_UP: HandAlreadyRaised, _INVITED: AlreadyInvited, _ON_STAGE: AlreadyOnStage},
        Step.LOWER_HAND: {_OUT: NotInRoom, _LISTENING: HandNotRaised, _ON_STAGE: HandNotRaised},
        Step.INVITE: {_OUT: NotInRoom, _INVITED: AlreadyInvited, _ON_STAGE: AlreadyOnStage},
        Step.ACCEPT: {_OUT: NotInRoom, _LISTENING: NotInvited, _HAND_UP: NotInvited, _ON_STAGE: AlreadyOnStage},
        Step.STEP_UP: {_OUT: NotInRoom, _ON_STAGE: AlreadyOnStage},
        Step.DECLINE: {_OUT: NotInRoom, _LISTENING: NotInvited, _HAND_UP: NotInvited, _ON_STAGE: NotInvited},
        Step.LEAVE_STAGE: {_OUT: NotInRoom, _LISTENING: NotOnStage, _HAND_UP: NotOnStage, _INVITED: NotOnStage},
        Step.LEAVE: {_OUT: NotInRoom},
    }
)


def next_standing(standing: Standing, step: Step) -> Standing:
    """Raises the refusal of this step from this standing; KeyError for a step that no caller may try from there."""
    try:
        return _NEXT[standing, step]
    except KeyError:
        raise _REFUSALS[step][standing] from None
