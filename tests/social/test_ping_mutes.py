import pytest

from salon.social.models import PingMute
from salon.social.relations import wants_no_pings
from tests.social.people import NOTHING, SIGN_IN, done, refusal

pytestmark = pytest.mark.django_db


def test_muted_pings_are_seen_by_oneself_alone(as_alice, as_bob, alice, bob, visitor):
    assert done(as_alice.put("people/bob/ping-mute"))
    assert as_alice.relation("bob") == {**NOTHING, "pings_muted": True}
    assert as_alice.handles("me/ping-mutes") == ["bob"]
    assert as_bob.relation("alice") == NOTHING
    assert as_bob.handles("me/ping-mutes") == []
    assert refusal(visitor.get("me/ping-mutes")) == SIGN_IN
    assert wants_no_pings(alice.id, bob.id)
    assert not wants_no_pings(bob.id, alice.id)


def test_mute_twice_and_unmute_twice_change_nothing_more(as_alice, bob):
    assert done(as_alice.put("people/bob/ping-mute")) and done(as_alice.put("people/bob/ping-mute"))
    assert PingMute.objects.count() == 1
    assert done(as_alice.delete("people/bob/ping-mute")) and done(as_alice.delete("people/bob/ping-mute"))
    assert PingMute.objects.count() == 0


def test_muting_leaves_follows_alone(as_alice, as_bob):
    as_alice.put("people/bob/follow")
    as_alice.put("people/bob/ping-mute")
    assert as_alice.relation("bob") == {**NOTHING, "followers": 1, "i_follow": True, "pings_muted": True}


def test_pings_of_somebody_who_blocked_one_can_be_muted(as_alice, as_bob):
    as_bob.put("people/alice/block")
    assert done(as_alice.put("people/bob/ping-mute"))
    assert as_alice.handles("me/ping-mutes") == ["bob"]
    assert done(as_alice.delete("people/bob/ping-mute"))


def test_a_deleted_person_leaves_no_mute(as_alice, bob):
    as_alice.put("people/bob/ping-mute")
    bob.delete()
    assert not PingMute.objects.exists()
