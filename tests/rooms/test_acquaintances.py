"""What rules are told about people: enough, and no query more."""

import pytest

from salon.rooms.acquaintances import acquaintance_for_hand, blocked_by_stage
from salon.rooms.domain.people import UNKNOWN
from salon.rooms.enums import HandPolicy
from salon.rooms.models import Room
from salon.rooms.stages import seats_of
from salon.social.models import Block, Follow
from tests.rooms.fake_clubs import CLUB

pytestmark = pytest.mark.django_db


def acquaintance(person, policy, club=""):
    Room.objects.update(hand_policy=policy, club=club)
    room = Room.objects.get()
    return room, seats_of(room).stage, person.id


@pytest.mark.parametrize("policy", [HandPolicy.EVERYONE, HandPolicy.NOBODY, HandPolicy.OPEN_STAGE])
def test_most_hand_policies_ask_nothing(room, listener, policy, django_assert_num_queries):
    asked = acquaintance(listener, policy)
    with django_assert_num_queries(0):
        assert acquaintance_for_hand(*asked) == UNKNOWN


def test_followers_on_the_stage_are_one_query(room, host, moderator, listener, django_assert_num_queries):
    for follower in (host, moderator):
        Follow.objects.create(follower=follower, followed=listener)
    asked = acquaintance(listener, HandPolicy.FOLLOWED_BY_SPEAKERS)
    with django_assert_num_queries(1):
        assert acquaintance_for_hand(*asked).followed_by == {host.id}


def test_club_members_are_asked_of_the_club_whose_room_it_is(room, listener, clubs):
    clubs.members.add((CLUB, listener.id))
    assert acquaintance_for_hand(*acquaintance(listener, HandPolicy.CLUB_MEMBERS, CLUB)).in_club
    assert not acquaintance_for_hand(*acquaintance(listener, HandPolicy.CLUB_MEMBERS)).in_club


def test_blocks_of_several_by_the_stage_are_one_query(room, cast, django_assert_num_queries):
    host, moderator, speaker, listener = cast
    for blocker, blocked in ((host, listener), (speaker, listener), (moderator, listener), (speaker, moderator)):
        Block.objects.create(blocker=blocker, blocked=blocked)
    stage = seats_of(room).stage
    with django_assert_num_queries(1):
        blocked_by = blocked_by_stage(stage, [listener.id, moderator.id, host.id])
    assert blocked_by == {listener.id: {host.id, speaker.id}, moderator.id: {speaker.id}}
