import pytest

from salon.rooms.domain import lifecycle
from salon.rooms.domain.large_acts import needs_second_moderator, other_moderators, require_other_moderator, require_second_moderator
from salon.rooms.enums import LargeAct, Phase
from salon.rooms.errors import CannotActOnOneself, NeedsSecondModerator, NotAModerator, NotInRoom, RoomEnded
from tests.rooms.domain.full_room import HOST, MODERATOR, OUTSIDE, PEER, SPEAKER, full_room


def left(*people):
    after = full_room()
    for person in people:
        after = lifecycle.leave_room(after, person).stage
    return after


@pytest.mark.parametrize(
    ("act", "people_in", "removals", "needed"),
    [
        (LargeAct.END_ROOM, 500, 99, False),
        (LargeAct.END_ROOM, 501, 0, True),
        (LargeAct.REMOVE_PERSON, 9999, 19, False),
        (LargeAct.REMOVE_PERSON, 2, 20, True),
    ],
)
def test_needs_second_moderator(act, people_in, removals, needed):
    assert needs_second_moderator(act, people_in=people_in, removals_last_minute=removals) is needed


@pytest.mark.parametrize(("actor", "others"), [(HOST, [MODERATOR, PEER]), (PEER, [HOST, MODERATOR])])
def test_other_moderators_are_those_in_the_room(actor, others):
    assert [place.person for place in other_moderators(full_room(), actor)] == others
    assert [place.person for place in other_moderators(left(MODERATOR), actor)] == [person for person in others if person != MODERATOR]


def test_require_other_moderator():
    require_other_moderator(left(MODERATOR), HOST)
    with pytest.raises(NeedsSecondModerator):
        require_other_moderator(left(MODERATOR, PEER), HOST)


def test_require_second_moderator_is_a_moderator_who_did_not_ask():
    require_second_moderator(full_room(), PEER, asked_by=HOST)


@pytest.mark.parametrize(
    ("before", "actor", "refusal"),
    [
        (full_room(Phase.ENDED), PEER, RoomEnded),
        (full_room(), OUTSIDE, NotInRoom),
        (full_room(), SPEAKER, NotAModerator),
        (full_room(), HOST, CannotActOnOneself),
    ],
)
def test_require_second_moderator_refused(before, actor, refusal):
    with pytest.raises(refusal):
        require_second_moderator(before, actor, asked_by=HOST)
