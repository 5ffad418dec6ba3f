from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.conversation.domain.chat import SHOWN, require_may_delete, require_may_post, shown_from
from salon.conversation.errors import SlowMode
from salon.rooms.errors import NotAModerator, NotInRoom, RoomEnded, Silenced, SwitchedOff
from tests.conversation.domain.standings import LISTENER, MODERATOR, OUTSIDER, SILENCED, terms

NOW = datetime(2026, 11, 23, 20, tzinfo=UTC)


def ago(secs):
    return NOW - timedelta(seconds=secs)


def test_posting_without_slow_mode_needs_no_wait():
    require_may_post(terms(), LISTENER, NOW, NOW)


@pytest.mark.parametrize(("since_secs", "wait_secs"), [(0, 30), (0.5, 30), (1, 29), (29, 1), (29.999, 1)])
def test_slow_mode_says_how_long_to_wait(since_secs, wait_secs):
    with pytest.raises(SlowMode) as refused:
        require_may_post(terms(slow_mode_secs=30), LISTENER, ago(since_secs), NOW)
    assert refused.value.retry_after_secs == wait_secs


def test_slow_mode_lets_through_who_waited_who_never_wrote_and_moderators():
    slow = terms(slow_mode_secs=30)
    require_may_post(slow, LISTENER, ago(30), NOW)
    require_may_post(slow, LISTENER, None, NOW)
    require_may_post(slow, MODERATOR, NOW, NOW)


@pytest.mark.parametrize(
    ("refusal", "room", "who"),
    [
        (RoomEnded, terms(is_live=False), OUTSIDER),
        (NotInRoom, terms(on=()), OUTSIDER),
        (SwitchedOff, terms(on=()), SILENCED),
        (SwitchedOff, terms(on=()), MODERATOR),
        (Silenced, terms(slow_mode_secs=30), SILENCED),
    ],
)
def test_posting_is_refused_for_the_weightiest_reason(refusal, room, who):
    with pytest.raises(refusal):
        require_may_post(room, who, NOW, NOW)


def test_deleting_is_for_the_author_and_for_moderators():
    require_may_delete(terms(on=()), SILENCED, SILENCED.person)
    require_may_delete(terms(), MODERATOR, LISTENER.person)
    with pytest.raises(NotAModerator):
        require_may_delete(terms(), LISTENER, MODERATOR.person)
    with pytest.raises(NotInRoom):
        require_may_delete(terms(), OUTSIDER, OUTSIDER.person)


@given(st.lists(st.one_of(st.none(), st.integers(min_value=0, max_value=120)), max_size=400))
def test_shown_are_those_that_a_watcher_keeps(steps):
    """None posts; a number deletes one of those posted, counted from the newest. Deleting never brings an old message back."""
    posted, deleted, floor = [], set(), 0
    watcher = []
    for step in steps:
        if step is None:
            shown = [seq for seq in reversed(posted) if seq >= floor and seq not in deleted]
            floor = shown_from(shown, floor)
            posted.append(len(posted) + 1)
            watcher = [*watcher, posted[-1]][-SHOWN:]
        elif step < len(posted):
            deleted.add(posted[-1 - step])
            watcher = [seq for seq in watcher if seq not in deleted]
        assert [seq for seq in posted if seq >= floor and seq not in deleted] == watcher


def test_shown_from_stays_until_there_are_a_hundred():
    assert shown_from([], 0) == 0
    assert shown_from(list(range(SHOWN - 2, 0, -1)), 0) == 0
    assert shown_from(list(range(SHOWN - 1, 0, -1)), 0) == 1
    assert shown_from(list(range(SHOWN, 0, -1)), 0) == 2
