"""The mark that several blocks put on a profile: who sees it, and how it is lifted."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from salon.accounts.models import Person
from salon.social.models import Block, Follow, ShieldContest
from tests.social.people import SIGN_IN, Api, refusal

pytestmark = pytest.mark.django_db
UNMARKED = {"shielded": False, "contested_at": None}


@pytest.fixture
def blockers(person, bob) -> list[Person]:
    """Three people who came without an inviter and blocked Bob."""
    blockers = [person(handle) for handle in ("dora", "emil", "fritz")]
    Block.objects.bulk_create(Block(blocker=blocker, blocked=bob) for blocker in blockers)
    return blockers


@pytest.fixture
def marked(as_alice, blockers) -> None:
    """Alice follows all three."""
    Follow.objects.bulk_create(Follow(follower=Person.objects.get(handle="alice"), followed=blocker) for blocker in blockers)


@pytest.fixture
def staff(person) -> Client:
    operator = person("operator1", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")
    return client


def decide(staff: Client, action: str) -> int:
    contests = [contest.pk for contest in ShieldContest.objects.all()]
    return staff.post(reverse("admin:social_shieldcontest_changelist"), {"action": action, "_selected_action": contests}).status_code


def is_marked(api: Api) -> bool:
    return bool(api.relation("bob")["shielded"])


def test_shield_is_seen_by_who_follows_three_independent_blockers(as_alice, as_carol, as_bob, visitor, marked):
    assert is_marked(as_alice)
    assert not is_marked(as_carol)
    assert not is_marked(visitor)
    assert not as_alice.relation("carol")["shielded"]
    assert not as_bob.relation("bob")["shielded"]


def test_shield_is_not_seen_by_who_follows_two_of_them(as_alice, marked, blockers):
    as_alice.delete("people/dora/follow")
    assert not is_marked(as_alice)


def test_own_block_does_not_count(as_alice, marked, blockers, bob):
    Block.objects.filter(blocker=blockers[0]).delete()
    as_alice.put("people/bob/block")
    assert not is_marked(as_alice)


@pytest.mark.parametrize("invited", ["by one of them", "by the same person"])
def test_blockers_who_depend_on_each_other_count_once(as_alice, marked, blockers, carol, invited):
    blockers[0].inviter = blockers[1] if invited == "by one of them" else carol
    blockers[1].inviter = None if invited == "by one of them" else carol
    for blocker in blockers[:2]:
        blocker.save()
    assert not is_marked(as_alice)


def test_blockers_who_left_salon_do_not_count(as_alice, marked, blockers):
    blockers[0].is_active = False
    blockers[0].save()
    assert not is_marked(as_alice)


def test_shield_ends_with_a_block(as_alice, marked, blockers):
    Api(blockers[0]).delete("people/bob/block")
    assert not is_marked(as_alice)


def test_whoever_is_marked_for_somebody_can_know_it(as_bob, as_alice, visitor, blockers):
    assert as_bob.get("me/shield").json() == {"shielded": True, "contested_at": None}
    assert as_alice.get("me/shield").json() == UNMARKED
    assert refusal(visitor.get("me/shield")) == SIGN_IN
    Block.objects.first().delete()
    assert as_bob.get("me/shield").json() == UNMARKED


def test_contest_is_kept_until_staff_decide(as_bob, bob, blockers):
    answer = as_bob.put("me/shield", {"text": "  It was a\r\nmisunderstanding. "}).json()
    contest = ShieldContest.objects.get()
    assert (contest.person, contest.text, contest.state) == (bob, "It was a\nmisunderstanding.", "open")
    assert answer["shielded"] is True
    assert answer["contested_at"] is not None
    assert answer == as_bob.get("me/shield").json()


def test_contest_written_again_replaces_the_text_and_keeps_its_time(as_bob, blockers):
    first = as_bob.put("me/shield", {"text": "One"}).json()
    assert as_bob.put("me/shield", {"text": "Two"}).json() == first
    assert [contest.text for contest in ShieldContest.objects.all()] == ["Two"]


def test_contest_without_a_mark_is_refused(as_bob):
    assert refusal(as_bob.put("me/shield", {"text": "Why not"})) == (409, "not_shielded", None)
    assert not ShieldContest.objects.exists()


@pytest.mark.parametrize("body", [{"text": ""}, {"text": " \u200b "}, {"text": "x" * 1_001}, {"text": "nul\x00"}, {"text": 7}, {}])
def test_contest_that_says_nothing_or_too_much_is_refused(as_bob, blockers, body):
    assert refusal(as_bob.put("me/shield", body)) == (400, "invalid", "text")
    assert not ShieldContest.objects.exists()


def test_contest_needs_an_account(visitor):
    assert refusal(visitor.put("me/shield", {"text": "Hello"})) == SIGN_IN


def test_contests_are_few_in_a_row(as_bob, blockers):
    assert [as_bob.put("me/shield", {"text": "Again"}).status_code for _ in range(11)] == [200] * 10 + [429]


def test_accepted_contest_lifts_the_shield_until_three_block_anew(as_bob, as_alice, marked, staff, person):
    as_bob.put("me/shield", {"text": "Please"})
    assert decide(staff, "accept_contests") == 302
    contest = ShieldContest.objects.get()
    assert (contest.state, contest.decided_by.handle) == ("accepted", "operator1")
    assert as_bob.get("me/shield").json() == UNMARKED
    assert not is_marked(as_alice)
    for number, handle in enumerate(("gina", "hans", "inga"), start=1):
        Api(person(handle)).put("people/bob/block")
        as_alice.put(f"people/{handle}/follow")
        assert is_marked(as_alice) is (number == 3)


def test_refused_contest_leaves_the_shield_and_can_be_made_anew(as_bob, as_alice, marked, staff):
    as_bob.put("me/shield", {"text": "Please"})
    decide(staff, "refuse_contests")
    assert ShieldContest.objects.get().state == "refused"
    assert is_marked(as_alice)
    assert as_bob.get("me/shield").json() == {"shielded": True, "contested_at": None}
    assert as_bob.put("me/shield", {"text": "Please!"}).json()["contested_at"] is not None
    assert ShieldContest.objects.count() == 2


def test_a_decision_is_not_decided_again(as_bob, marked, staff):
    as_bob.put("me/shield", {"text": "Please"})
    decide(staff, "refuse_contests")
    before = ShieldContest.objects.values().get()
    decide(staff, "accept_contests")
    assert ShieldContest.objects.values().get() == before


def test_staff_see_the_contest_and_the_number_but_not_who_blocked(as_bob, blockers, staff):
    as_bob.put("me/shield", {"text": "A misunderstanding."})
    assert staff.get(reverse("admin:social_shieldcontest_changelist")).status_code == 200
    page = staff.get(reverse("admin:social_shieldcontest_change", args=[ShieldContest.objects.get().pk])).content.decode()
    assert "A misunderstanding." in page
    assert "Independent blocks that count now" in page
    assert not any(f"@{blocker.handle}" in page for blocker in blockers)
    assert staff.get(reverse("admin:social_shieldcontest_add")).status_code == 403


def test_staff_without_the_right_to_change_decide_nothing(as_bob, blockers, person):
    as_bob.put("me/shield", {"text": "Please"})
    looker = person("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_shieldcontest"))
    client = Client()
    client.force_login(looker, backend="django.contrib.auth.backends.ModelBackend")
    decide(client, "accept_contests")
    assert ShieldContest.objects.get().state == "open"


def test_a_deleted_person_takes_their_contest_along(as_bob, bob, blockers):
    as_bob.put("me/shield", {"text": "Please"})
    bob.delete()
    assert not ShieldContest.objects.exists()


def test_shield_costs_as_many_queries_for_four_blockers_as_for_three(as_alice, marked, person, bob, django_assert_num_queries):
    as_alice.relation("bob")  # the token notes its first use
    with django_assert_num_queries(6):
        assert is_marked(as_alice)
    Block.objects.create(blocker=person("gina"), blocked=bob)
    as_alice.put("people/gina/follow")
    with django_assert_num_queries(6):
        assert is_marked(as_alice)
