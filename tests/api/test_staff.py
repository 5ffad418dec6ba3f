"""The operator's pages: who comes in, and what can be done there."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from salon.accounts.actions.invitations import make_invitation
from salon.accounts.actions.staff import make_staff
from salon.accounts.actions.tokens import create_token
from salon.accounts.models import DevelopmentMessage, Invitation, Person, Waiting

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def operator() -> Person:
    person = Person.objects.create_user("operator1", "operator@example.org")
    make_staff(person)
    return person


@pytest.fixture
def staff(operator: Person) -> Client:
    client = Client()
    client.force_login(operator, backend=BACKEND)
    return client


@pytest.fixture
def assistant() -> Callable[[str], Client]:
    """Staff with this right alone."""

    def give(permission: str) -> Client:
        person = Person.objects.create_user("assistant", "assistant@example.org", is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename=permission))
        client = Client()
        client.force_login(person, backend=BACKEND)
        return client

    return give


@pytest.fixture
def alice() -> Person:
    return Person.objects.create_user("alice", "alice@example.org", name="Alice")


def test_visitor_and_member_are_told_to_sign_in_as_staff(client, alice):
    assert "Sign in to Salon as a member of staff" in client.get("/staff/", follow=True).text
    client.force_login(alice, backend=BACKEND)
    page = client.get("/staff/accounts/person/", follow=True)
    assert (page.status_code, "not as a member of staff" in page.text) == (403, True)
    assert "alice@example.org" not in page.text


def test_there_is_no_password_form(client):
    page = client.post("/staff/login/", {"username": "operator1", "password": ""})
    assert (page.status_code, "password" in page.text) == (403, False)


@pytest.mark.parametrize("kind", ["person", "invitation", "waiting", "accesstoken"])
def test_every_list_is_shown_and_searched(staff, alice, kind):
    make_invitation(alice)
    create_token(alice, "bot")
    Waiting.objects.create(email="zoe@example.org", handle="zoe")
    assert staff.get(f"/staff/accounts/{kind}/").status_code == 200
    assert staff.get(f"/staff/accounts/{kind}/?q=alice").status_code == 200


def test_secrets_are_not_shown(staff, alice):
    create_token(alice, "bot")
    token = alice.access_tokens.get()
    pages = staff.get("/staff/accounts/accesstoken/").text + staff.get(f"/staff/accounts/accesstoken/{token.id}/change/").text
    assert token.secret_sha256 not in pages


def test_person_is_edited_but_neither_made_nor_deleted(staff, alice):
    assert staff.get(f"/staff/accounts/person/{alice.id}/change/").status_code == 200
    assert staff.get("/staff/accounts/person/add/").status_code == 403
    assert staff.post(f"/staff/accounts/person/{alice.id}/delete/", {"post": "yes"}).status_code == 403
    assert Person.objects.filter(pk=alice.pk).exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"handle": "zo"}, "handle"), ({"handle": "op3rator1"}, None), ({"handle": "operat0r1"}, "handle"), ({"name": "a\x07"}, "name")],
)
def test_staff_edit_by_the_same_rules(staff, alice, changes, field):
    fields = {"handle": "alice", "name": "Alice", "bio": "One\nTwo", "invitation_allowance": 7, **changes}
    page = staff.post(f"/staff/accounts/person/{alice.id}/change/", fields)
    if field is None:
        alice.refresh_from_db()
        assert (page.status_code, alice.handle, alice.bio, alice.invitation_allowance) == (302, changes["handle"], "One\nTwo", 7)
    else:
        assert (page.status_code, list(page.context["adminform"].form.errors)) == (200, [field])


def test_operator_removes_a_picture(staff, alice):
    Person.objects.update(picture="pictures/gone.webp")
    staff.post("/staff/accounts/person/", {"action": "remove_pictures", "_selected_action": [alice.id]})
    alice.refresh_from_db()
    assert not alice.picture


def test_operator_deactivates_and_reactivates(staff, alice):
    for action, expected in (("deactivate_people", False), ("reactivate_people", True)):
        staff.post("/staff/accounts/person/", {"action": action, "_selected_action": [alice.id]})
        alice.refresh_from_db()
        assert alice.is_active is expected


def test_operator_admits_from_the_waiting_list_once(staff, operator):
    waiting = Waiting.objects.create(email="zoe@example.org", handle="zoe")
    for _ in range(2):
        staff.post("/staff/accounts/waiting/", {"action": "admit_waiting", "_selected_action": [waiting.id]})
    waiting.refresh_from_db()
    assert (waiting.admitted_by, waiting.admitted_at is not None) == (operator, True)
    assert DevelopmentMessage.objects.filter(recipient="zoe@example.org").count() == 1


@pytest.mark.parametrize("action", ["deactivate_people", "remove_pictures"])
def test_who_may_only_look_at_people_changes_none(assistant, alice, action):
    Person.objects.filter(pk=alice.pk).update(picture="pictures/kept.webp")
    client = assistant("view_person")
    assert client.get("/staff/accounts/person/").status_code == 200
    client.post("/staff/accounts/person/", {"action": action, "_selected_action": [alice.id]})
    alice.refresh_from_db()
    assert (alice.is_active, alice.picture.name) == (True, "pictures/kept.webp")


def test_who_may_only_look_at_people_reactivates_none(assistant, alice):
    Person.objects.filter(pk=alice.pk).update(is_active=False)
    assistant("view_person").post("/staff/accounts/person/", {"action": "reactivate_people", "_selected_action": [alice.id]})
    alice.refresh_from_db()
    assert alice.is_active is False


@pytest.mark.parametrize(("permission", "is_admitted"), [("view_waiting", False), ("change_waiting", True)])
def test_admitting_needs_the_right_to_change(assistant, permission, is_admitted):
    waiting = Waiting.objects.create(email="zoe@example.org", handle="zoe")
    assistant(permission).post("/staff/accounts/waiting/", {"action": "admit_waiting", "_selected_action": [waiting.id]})
    waiting.refresh_from_db()
    assert (waiting.admitted_at is not None) is is_admitted


def test_who_may_edit_people_gives_nobody_rights(assistant, staff, alice):
    fields = {"handle": "alice", "name": "Alicia", "bio": "", "invitation_allowance": 2, "is_staff": "on", "is_superuser": "on"}
    path = f"/staff/accounts/person/{alice.id}/change/"
    for client, expected in ((assistant("change_person"), (False, False)), (staff, (True, True))):
        assert client.post(path, fields).status_code == 302
        alice.refresh_from_db()
        assert (alice.name, alice.is_staff, alice.is_superuser) == ("Alicia", *expected)


def test_operator_makes_an_invitation_from_nobody(staff):
    end = timezone.now() + timedelta(days=3)
    fields = {"email": "", "uses_allowed": 50, "expires_at_0": f"{end:%Y-%m-%d}", "expires_at_1": f"{end:%H:%M:%S}"}
    assert staff.post("/staff/accounts/invitation/add/", fields).status_code == 302
    invitation = Invitation.objects.get()
    assert (invitation.inviter, invitation.email, invitation.uses_left) == (None, None, 50)


def test_pages_own_files_are_served(client):
    response = client.get("/static/admin/css/base.css")
    assert (response.status_code, response["Content-Type"]) == (200, "text/css")
    assert client.get("/static/../settings.py").status_code == 400
    assert client.get("/static/nothing.css").status_code == 404
