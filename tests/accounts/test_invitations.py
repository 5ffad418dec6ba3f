from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from salon.accounts.actions.invitations import make_invitation
from salon.accounts.actions.tokens import create_token
from salon.accounts.channels import messages
from salon.accounts.errors import MessageUndelivered
from salon.accounts.models import DevelopmentMessage, Invitation
from salon.accounts.queries import invitations_left
from tests.accounts.browser import Browser, message_to, refusal

pytestmark = pytest.mark.django_db


def test_invitation_is_made_shown_and_listed(alice):
    browser = Browser(alice)
    made = browser.post("/api/v1/invitations", {})
    assert made.status_code == 201, made.content
    invitation = made.json()
    assert invitation["url"] == f"http://localhost:8000/i/{invitation['code']}"
    assert (invitation["uses_allowed"], invitation["uses_left"], invitation["email"]) == (1, 1, None)

    offer = Browser().get(f"/api/v1/invitations/{invitation['code']}").json()
    assert offer == {
        "code": invitation["code"], "uses_left": 1, "expires_at": invitation["expires_at"],
        "inviter": {"id": alice.id, "handle": "alice", "name": "Alice", "picture": None},
    }  # fmt: skip
    assert browser.get("/api/v1/invitations").json() == {"invitations": [invitation], "invitations_left": 1}


def test_budget_is_two_and_then_refused(alice):
    browser = Browser(alice)
    assert [browser.post("/api/v1/invitations", {}).status_code for _ in range(2)] == [201, 201]
    assert refusal(browser.post("/api/v1/invitations", {})) == (409, "no_invitations_left", None)
    assert Invitation.objects.count() == 2


def test_one_link_for_more_people_than_the_budget_is_refused(alice):
    assert refusal(Browser(alice).post("/api/v1/invitations", {"uses_allowed": 3})) == (409, "no_invitations_left", None)


def test_expired_invitation_gives_back_what_nobody_used(alice):
    invitation = make_invitation(alice, uses_allowed=2)
    Invitation.objects.filter(pk=invitation.pk).update(uses=1)
    now = timezone.now()
    assert invitations_left(alice, now) == 0
    assert invitations_left(alice, now + timedelta(days=15)) == 1


def test_invited_address_is_told(alice):
    assert Browser(alice).post("/api/v1/invitations", {"email": "Zoe@Example.org"}).json()["email"] == "zoe@example.org"
    assert message_to("zoe@example.org").subject == "Alice invites you to Salon"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"uses_allowed": 0}, "uses_allowed"),
        ({"uses_allowed": "many"}, "uses_allowed"),
        ({"days": 1000}, "days"),
        ({"email": "x"}, "email"),
    ],
)
def test_bad_wish_is_refused_by_name(alice, asked, field):
    assert refusal(Browser(alice).post("/api/v1/invitations", asked)) == (400, "invalid", field)
    assert not Invitation.objects.exists()
    assert not DevelopmentMessage.objects.exists()


@pytest.mark.parametrize("code", ["a" * 26, "short", "%00"])
def test_unknown_code_is_not_found(browser, code):
    assert refusal(browser.get(f"/api/v1/invitations/{code}")) == (404, "not_found", None)


def test_spent_and_expired_codes_look_unknown(browser, alice):
    spent, expired = make_invitation(alice), make_invitation(alice)
    Invitation.objects.filter(pk=spent.pk).update(uses=1)
    Invitation.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    for invitation in (spent, expired):
        assert refusal(browser.get(f"/api/v1/invitations/{invitation.id}")) == (404, "not_found", None)


def test_visitor_cannot_invite(browser):
    assert refusal(browser.post("/api/v1/invitations", {})) == (401, "sign_in_required", None)


def test_database_lets_no_invitation_be_overspent(alice):
    invitation = make_invitation(alice)
    with pytest.raises(IntegrityError, match="invitation_not_overspent"), transaction.atomic():
        Invitation.objects.filter(pk=invitation.pk).update(uses=2)


@pytest.mark.django_db(transaction=True)
def test_mail_is_sent_after_the_commit(alice, monkeypatch):
    seen = []
    monkeypatch.setattr(messages, "send_mail", lambda *args: seen.append((connection.in_atomic_block, Invitation.objects.count())))
    make_invitation(alice, email="zoe@example.org")
    assert seen == [(False, 1)]


def test_undelivered_mail_leaves_no_invitation(alice, monkeypatch):
    def refuse(*args):
        raise MessageUndelivered

    monkeypatch.setattr(messages, "send_mail", refuse)
    with pytest.raises(MessageUndelivered):
        make_invitation(alice, email="zoe@example.org")
    assert (Invitation.objects.count(), invitations_left(alice, timezone.now())) == (0, 2)


@pytest.mark.parametrize("act", [make_invitation, lambda person: create_token(person, "bot")])
def test_counting_ones_own_lets_others_refer_to_the_person(alice, act):
    """FOR UPDATE would hold up each insert that refers to the person, and so each action in a room."""
    with CaptureQueriesContext(connection) as queries:
        act(alice)
    locks = [query["sql"].partition(" FOR ")[2] for query in queries if " FOR " in query["sql"]]
    assert locks == ["NO KEY UPDATE"]
