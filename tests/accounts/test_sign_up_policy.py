"""Who is let in under `open`, `invite` and `waitlist`, and that switching between them loses nobody."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from salon.accounts.actions.invitations import make_invitation
from salon.accounts.actions.sign_up import SignUp, discard_abandoned, sign_up
from salon.accounts.actions.waiting_list import admit
from salon.accounts.errors import InvitationSpent
from salon.accounts.models import Invitation, Person, Waiting
from tests.accounts.browser import Browser, message_to, pending_steps, refusal, refusals
from tests.accounts.conftest import PRODUCTION

pytestmark = pytest.mark.django_db
CLOSED = [("invitation", "sign_up_closed")]


def wait(email="zoe@example.org", handle="zoe"):
    return Browser().post("/api/v1/waitlist", {"email": email, "handle": handle})


class TestOpen:
    def test_anybody_signs_up(self, browser, configure):
        configure(SALON_SIGN_UP="open")
        assert browser.sign_up_completely().inviter is None

    def test_invitation_still_names_the_inviter(self, browser, configure, alice):
        configure(SALON_SIGN_UP="open")
        assert browser.sign_up_completely(invitation=make_invitation(alice).id).inviter == alice

    def test_spent_invitation_is_no_hindrance(self, browser, configure, alice):
        configure(SALON_SIGN_UP="open")
        invitation = make_invitation(alice).id
        Browser().sign_up_completely("first@example.org", "first", invitation=invitation)
        assert browser.sign_up_completely(invitation=invitation).inviter is None

    def test_there_is_no_waiting_list(self, configure):
        configure(SALON_SIGN_UP="open")
        assert refusal(wait()) == (403, "sign_up_closed", None)


class TestInvite:
    @pytest.fixture(autouse=True)
    def invite(self, configure):
        configure(SALON_SIGN_UP="invite")

    def test_stranger_is_refused(self, browser):
        assert refusals(browser.sign_up()) == CLOSED
        assert not Person.objects.exists()

    def test_invited_person_signs_up_and_shows_the_inviter(self, browser, alice):
        zoe = browser.sign_up_completely(invitation=make_invitation(alice).id)
        assert zoe.inviter == alice
        assert browser.get("/api/v1/people/zoe").json()["inviter"]["handle"] == "alice"

    def test_invitation_works_once(self, browser, alice):
        invitation = make_invitation(alice).id
        Browser().sign_up_completely("first@example.org", "first", invitation=invitation)
        assert refusals(browser.sign_up(invitation=invitation)) == CLOSED

    def test_invitation_for_two_works_twice(self, browser, alice):
        invitation = make_invitation(alice, uses_allowed=2).id
        Browser().sign_up_completely("first@example.org", "first", invitation=invitation)
        Browser().sign_up_completely("second@example.org", "second", invitation=invitation)
        assert refusals(browser.sign_up(invitation=invitation)) == CLOSED

    def test_expired_invitation_is_refused(self, browser, alice):
        invitation = make_invitation(alice)
        Invitation.objects.update(expires_at=timezone.now())
        assert refusals(browser.sign_up(invitation=invitation.id)) == CLOSED

    def test_invitation_of_a_deactivated_inviter_is_refused(self, browser, alice):
        invitation = make_invitation(alice)
        Person.objects.update(is_active=False)
        assert refusals(browser.sign_up(invitation=invitation.id)) == CLOSED

    @pytest.mark.parametrize("code", ["a" * 26, "short", "\x00", "é" * 26, 7, ["a"]])
    def test_unknown_invitation_is_refused(self, browser, code):
        response = browser.sign_up(invitation=code)
        assert response.status_code == 400
        assert ("invitation" in {field for field, _ in refusals(response)}) and not Person.objects.exists()

    def test_invitation_for_an_address_lets_only_that_address_in(self, browser, alice):
        invitation = make_invitation(alice, email="zoe@example.org").id
        assert f"http://localhost:8000/i/{invitation}" in message_to("zoe@example.org").body
        assert refusals(browser.sign_up("mallory@example.org", "mallory", invitation=invitation)) == CLOSED
        assert browser.sign_up_completely(invitation=invitation).inviter == alice

    def test_abandoned_sign_up_gives_the_invitation_back(self, browser, alice):
        invitation = make_invitation(alice).id
        Browser().sign_up("first@example.org", "first", invitation=invitation)
        assert refusals(browser.sign_up(invitation=invitation)) == CLOSED
        discard_abandoned(timezone.now() + timedelta(hours=1))
        assert browser.sign_up_completely(invitation=invitation).inviter == alice

    def test_newcomer_who_begins_again_still_has_the_invitation(self, browser, alice):
        invitation = make_invitation(alice).id
        Browser().sign_up(invitation=invitation)
        assert browser.sign_up_completely(handle="zoe_again", invitation=invitation).inviter == alice
        assert Invitation.objects.get().uses == 1

    def test_member_signs_in_as_before(self, browser, alice):
        alice.emailaddress_set.create(email="alice@example.org", verified=True, primary=True)
        assert pending_steps(browser.request_code(email="alice@example.org")) == ["login_by_code"]


class TestWaitlist:
    @pytest.fixture(autouse=True)
    def waitlist(self, configure):
        configure(SALON_SIGN_UP="waitlist")

    def test_handle_is_reserved_against_everybody_else(self, browser, alice):
        assert (wait().status_code, wait().json()) == (202, {"noted": True})
        assert message_to("zoe@example.org").subject == "@zoe is reserved for you on Salon"
        invitation = make_invitation(alice, uses_allowed=2).id
        for look_alike in ("zoe", "z0e", "zo_e"):
            assert refusals(browser.sign_up("mallory@example.org", look_alike, invitation=invitation)) == [("handle", "handle_taken")]
        assert refusal(wait("mallory@example.org", "zoe")) == (409, "handle_taken", "handle")

    def test_who_waits_is_not_in_yet(self, browser):
        wait()
        assert refusals(browser.sign_up()) == CLOSED

    def test_who_is_admitted_signs_up_with_the_reserved_handle(self, browser, alice):
        wait()
        admit(Waiting.objects.get(), alice)
        assert message_to("zoe@example.org").subject == "Your place on Salon is ready"
        assert browser.sign_up_completely().handle == "zoe"
        assert not Waiting.objects.exists()

    def test_member_lets_somebody_in_by_inviting_the_address(self, browser, alice):
        wait()
        zoe = browser.sign_up_completely(invitation=make_invitation(alice, email="zoe@example.org").id)
        assert (zoe.handle, zoe.inviter) == ("zoe", alice)

    def test_the_answer_tells_nothing_about_an_address(self, alice):
        wait()
        answers = [wait(), wait("zoe@example.org", "another"), wait("alice@example.org", "third"), wait("new@example.org", "fourth")]
        assert {(answer.status_code, answer.content) for answer in answers} == {(202, b'{"noted": true}')}
        assert message_to("alice@example.org").subject == "You already have a Salon account"
        # Whoever asks first keeps what was reserved: the address was never confirmed by the second caller.
        assert Waiting.objects.get(email="zoe@example.org").handle == "zoe"
        assert not Waiting.objects.filter(email="alice@example.org").exists()

    @pytest.mark.parametrize(
        ("email", "handle", "expected"),
        [
            ("nonsense", "zoe", (400, "invalid", "email")),
            ("zoe@example.org", "z", (400, "invalid", "handle")),
            ("zoe@example.org", "admin", (409, "handle_taken", "handle")),
        ],
    )
    def test_bad_wish_is_refused(self, email, handle, expected):
        assert refusal(wait(email, handle)) == expected
        assert not Waiting.objects.exists()

    def test_too_many_wishes_are_refused_with_429(self, configure):
        configure(**PRODUCTION)
        answers = [wait(f"n{n}@example.org", f"person_{n:x}") for n in range(2, 13)]
        assert [answer.status_code for answer in answers] == [202] * 10 + [429]
        assert answers[-1]["Retry-After"] == "3600"


def test_switching_the_policy_loses_nobody(configure, alice):
    invitation = make_invitation(alice).id
    configure(SALON_SIGN_UP="waitlist")
    wait("waits@example.org", "waits")
    wait("admitted@example.org", "admitted")
    admit(Waiting.objects.get(handle="admitted"), alice)

    configure(SALON_SIGN_UP="invite")
    assert refusals(Browser().sign_up("waits@example.org", "waits")) == CLOSED
    assert Browser().sign_up_completely("admitted@example.org", "admitted").handle == "admitted"
    assert Browser().sign_up_completely("invited@example.org", "invited", invitation=invitation).inviter == alice

    configure(SALON_SIGN_UP="open")
    assert refusals(Browser().sign_up("mallory@example.org", "waits")) == [("handle", "handle_taken")]
    assert Browser().sign_up_completely("waits@example.org", "waits").handle == "waits"
    assert not Waiting.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_racing_newcomers_one_gets_the_last_use(configure):
    configure(SALON_SIGN_UP="invite")
    inviter = Person.objects.create_user("alice", "alice@example.org")
    invitation = make_invitation(inviter).id
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def newcomer(name: str) -> None:
        try:
            together.wait(timeout=10)
            sign_up(Person(), SignUp(email=f"{name}@example.org", handle=name, name="", languages=[], invitation=invitation))
            outcomes.append("signed up")
        except InvitationSpent:
            outcomes.append("refused")
        finally:
            connection.close()

    racers = [threading.Thread(target=newcomer, args=[name]) for name in ("first", "second")]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(timeout=20)
    assert sorted(outcomes) == ["refused", "signed up"]
    assert Person.objects.filter(inviter=inviter).count() == 1
    assert Invitation.objects.get().uses == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_racing_look_alikes_one_gets_the_handle():
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def newcomer(handle: str) -> None:
        try:
            together.wait(timeout=10)
            sign_up(Person(), SignUp(email=f"{handle}@example.org", handle=handle, name="", languages=[], invitation=None))
            outcomes.append("signed up")
        except Exception as error:
            outcomes.append(type(error).__name__)
        finally:
            connection.close()

    racers = [threading.Thread(target=newcomer, args=[handle]) for handle in ("bernard", "bemard")]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(timeout=20)
    assert sorted(outcomes) == ["HandleTaken", "signed up"]
