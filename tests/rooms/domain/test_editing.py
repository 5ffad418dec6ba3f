from dataclasses import replace

import pytest

from salon.rooms.domain.editing import edit_room, widened
from salon.rooms.domain.hands import hand_positions
from salon.rooms.enums import HandPolicy, Phase, Visibility
from salon.rooms.errors import CannotNarrow, NotAModerator, NotInRoom, RoomEnded
from tests.rooms.domain.full_room import HOST, INVITED, MODERATOR, SPEAKER, STRANGER, WAITING, full_room, with_changed

CLOSED, SOCIAL, OPEN = Visibility.CLOSED, Visibility.SOCIAL, Visibility.OPEN


def test_edit_room_sets_what_is_given_and_nothing_else():
    before = full_room(visibility=CLOSED, deputy=MODERATOR)
    outcome = edit_room(before, MODERATOR, visibility=SOCIAL, hand_policy=HandPolicy.NOBODY, stage_locked=True, fair_floor=True)
    expected = replace(before.rules, visibility=SOCIAL, hand_policy=HandPolicy.NOBODY, stage_locked=True, fair_floor=True)
    assert (outcome.stage, outcome.happened) == (replace(before, rules=expected), ())
    assert edit_room(outcome.stage, MODERATOR).stage == outcome.stage
    assert edit_room(outcome.stage, HOST, stage_locked=False).stage.rules == replace(expected, stage_locked=False)


def test_edit_room_keeps_hands_and_invitations_and_reorders_them_for_the_fair_floor():
    before = with_changed(full_room(), WAITING, has_spoken=True)
    assert hand_positions(before) == {WAITING: 1, INVITED: 2}
    after = edit_room(before, HOST, fair_floor=True, hand_policy=HandPolicy.NOBODY).stage
    assert hand_positions(after) == {INVITED: 1, WAITING: 2}
    assert [place.person for place in after.queue()] == [WAITING, INVITED]


@pytest.mark.parametrize(("visibility", "wanted"), [(CLOSED, CLOSED), (CLOSED, SOCIAL), (CLOSED, OPEN), (SOCIAL, OPEN), (OPEN, OPEN)])
def test_widened(visibility, wanted):
    assert widened(visibility, wanted) is wanted


@pytest.mark.parametrize(("visibility", "wanted"), [(OPEN, SOCIAL), (OPEN, CLOSED), (SOCIAL, CLOSED)])
def test_visibility_is_never_narrowed(visibility, wanted):
    with pytest.raises(CannotNarrow) as refused:
        edit_room(full_room(visibility=visibility), HOST, visibility=wanted)
    assert refused.value.field == "visibility"


@pytest.mark.parametrize(
    ("before", "actor", "refusal"),
    [(full_room(Phase.ENDED), HOST, RoomEnded), (full_room(), STRANGER, NotInRoom), (full_room(), SPEAKER, NotAModerator)],
)
def test_edit_room_refused(before, actor, refusal):
    with pytest.raises(refusal):
        edit_room(before, actor, stage_locked=True)
