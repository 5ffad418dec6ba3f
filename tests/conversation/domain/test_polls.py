import pytest

from salon.conversation.domain import polls
from salon.conversation.enums import Part
from salon.conversation.errors import AlreadyVoted, PollClosed, PollOpen
from salon.rooms.errors import NotAModerator, NotInRoom, SwitchedOff
from tests.conversation.domain.standings import LISTENER, MODERATOR, OUTSIDER, SILENCED, terms

OFF = terms(on=set(Part) - {Part.POLLS})


def test_opening_is_for_moderators_one_at_a_time():
    polls.require_may_open(terms(), MODERATOR, one_is_open=False)
    for refusal, room, who in ((NotAModerator, OFF, LISTENER), (SwitchedOff, OFF, MODERATOR), (PollOpen, terms(), MODERATOR)):
        with pytest.raises(refusal):
            polls.require_may_open(room, who, one_is_open=True)


def test_voting_is_once_while_it_is_open():
    polls.require_may_vote(terms(), SILENCED, is_open=True, has_voted=False)
    for refusal, room, who, is_open in (
        (NotInRoom, OFF, OUTSIDER, False), (SwitchedOff, OFF, LISTENER, False), (PollClosed, terms(), LISTENER, False),
        (AlreadyVoted, terms(), LISTENER, True),
    ):  # fmt: skip
        with pytest.raises(refusal):
            polls.require_may_vote(room, who, is_open=is_open, has_voted=True)


def test_closing_is_for_moderators_also_while_polls_are_off():
    polls.require_may_close(OFF, MODERATOR, is_open=True)
    for refusal, who in ((NotAModerator, LISTENER), (PollClosed, MODERATOR)):
        with pytest.raises(refusal):
            polls.require_may_close(terms(), who, is_open=False)


def test_a_vote_is_counted_for_its_option_alone():
    assert polls.counted([4, 0, 2], 1) == [4, 1, 2]


@pytest.mark.parametrize(("options", "distinct"), [(["Yes", "No"], True), (["Yes", "yes"], False), (["Straße", "STRASSE"], False)])
def test_options_are_distinct_as_people_read_them(options, distinct):
    assert polls.are_distinct(options) is distinct
