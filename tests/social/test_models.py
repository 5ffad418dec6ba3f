"""What the database refuses whatever the code does."""

import pytest
from django.db import IntegrityError
from django.utils import timezone

from salon.social.models import Block, Follow, PingMute, ShieldContest

pytestmark = pytest.mark.django_db
ENDS = [(Follow, "follower", "followed"), (Block, "blocker", "blocked"), (PingMute, "person", "sender")]


@pytest.mark.parametrize(("model", "one", "other"), ENDS)
def test_nothing_twice(model, one, other, alice, bob):
    model.objects.create(**{one: alice, other: bob})
    model.objects.create(**{one: bob, other: alice})
    with pytest.raises(IntegrityError):
        model.objects.create(**{one: alice, other: bob})


@pytest.mark.parametrize(("model", "one", "other"), ENDS)
def test_nothing_to_oneself(model, one, other, alice):
    with pytest.raises(IntegrityError):
        model.objects.create(**{one: alice, other: alice})


def test_one_open_contest_at_a_time(alice):
    ShieldContest.objects.create(person=alice, text="One", state="refused", decided_at=timezone.now())
    ShieldContest.objects.create(person=alice, text="Two")
    with pytest.raises(IntegrityError):
        ShieldContest.objects.create(person=alice, text="Three")


@pytest.mark.parametrize("fields", [{"state": "accepted"}, {"state": "open", "decided_at": timezone.now()}, {"state": "lost"}])
def test_contest_that_contradicts_itself(alice, fields):
    with pytest.raises(IntegrityError):
        ShieldContest.objects.create(person=alice, text="One", **fields)
