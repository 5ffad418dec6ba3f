import pytest
from django.core.files.storage import default_storage

from salon.accounts.models import Person, Waiting
from tests.accounts.browser import Browser, refusal
from tests.accounts.images import image_bytes

pytestmark = pytest.mark.django_db


def test_me_as_a_visitor(browser):
    assert browser.get("/api/v1/me").json() == {
        "person": None, "visitor": True, "sign_up_policy": "open", "demo": False, "anonymous_listening": True,
    }  # fmt: skip


def test_profile_as_others_see_it(alice, bob):
    bob.inviter, bob.bio = alice, "Hello"
    bob.save()
    profile = Browser().get("/api/v1/people/bob").json()
    assert profile == {
        "id": bob.id, "handle": "bob", "name": "bob", "picture": None, "languages": [], "bio": "Hello",
        "inviter": {"id": alice.id, "handle": "alice", "name": "Alice", "picture": None},
        "joined_at": bob.joined_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }  # fmt: skip


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_pending": True}])
def test_profile_that_is_not_to_be_seen_looks_missing(alice, state):
    visitor = Browser()
    assert visitor.get("/api/v1/people/alice").status_code == 200
    Person.objects.update(**state)
    hidden, missing = visitor.get("/api/v1/people/alice"), visitor.get("/api/v1/people/nobody_here")
    assert refusal(hidden) == (404, "not_found", None)
    assert hidden.content == missing.content


@pytest.mark.parametrize("handle", ["%00", "..", "ALICE", "x" * 200, "%F0%9F%98%80"])
def test_impossible_handle_is_not_found(handle):
    assert Browser().get(f"/api/v1/people/{handle}").status_code == 404


def test_visitors_see_no_profile_where_they_may_not_listen(alice, configure):
    configure(SALON_ANONYMOUS_LISTENING="0")
    assert refusal(Browser().get("/api/v1/people/alice")) == (401, "sign_in_required", None)
    assert Browser(alice).get("/api/v1/people/alice").status_code == 200


def test_edit_own_profile(alice):
    changes = {"handle": "Alix", "name": " Alix\u200b  Martin ", "bio": "One\r\n\r\n\r\nTwo", "languages": ["fr", "pt-BR"]}
    answer = Browser(alice).ask("PATCH", "/api/v1/me", changes)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["handle"], body["name"], body["bio"], body["languages"]) == ("alix", "Alix Martin", "One\n\nTwo", ["fr", "pt-BR"])
    assert (body["email"], body["invitations_left"]) == ("alice@example.org", 2)
    assert Browser(alice).get("/api/v1/me/profile").json() == body


def test_edit_changes_only_what_is_given(alice):
    Browser(alice).ask("PATCH", "/api/v1/me", {"bio": "New"})
    alice.refresh_from_db()
    assert (alice.handle, alice.name, alice.bio, alice.languages) == ("alice", "Alice", "New", ["en"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "x" * 61}, (400, "invalid", "name")),
        ({"name": "nul\x00"}, (400, "invalid", "name")),
        ({"bio": "half \ud800"}, (400, "invalid", "bio")),
        ({"bio": "x" * 1_001}, (400, "invalid", "bio")),
        ({"name": "x" * 100_000}, (400, "invalid", "name")),
        ({"name": 7}, (400, "invalid", "name")),
        ({"languages": ["French"]}, (400, "invalid", "languages")),
        ({"languages": ["fr", "fr"]}, (400, "invalid", "languages")),
        ({"languages": "fr"}, (400, "invalid", "languages")),
        ({"handle": "b"}, (400, "invalid", "handle")),
        ({"handle": "bob"}, (409, "handle_taken", "handle")),
        ({"handle": "b0b"}, (409, "handle_taken", "handle")),
        ({"handle": "waiting_one"}, (409, "handle_taken", "handle")),
        ({"handle": "support"}, (409, "handle_taken", "handle")),
        ([], (400, "invalid", None)),
        (7, (400, "invalid", None)),
        ("text", (400, "invalid", None)),
    ],
)
def test_bad_change_is_refused_by_name_and_changes_nothing(alice, bob, changes, expected):
    Waiting.objects.create(email="w@example.org", handle="waiting_one")
    browser = Browser(alice)
    before = Person.objects.filter(pk=alice.pk).values().get()
    assert refusal(browser.ask("PATCH", "/api/v1/me", changes)) == expected
    assert Person.objects.filter(pk=alice.pk).values().get() == before


def test_own_handle_can_be_spelled_anew(alice):
    assert Browser(alice).ask("PATCH", "/api/v1/me", {"handle": "al1ce"}).json()["handle"] == "al1ce"


def test_handle_changes_are_few_a_day(alice):
    browser = Browser(alice)
    answers = [browser.ask("PATCH", "/api/v1/me", {"handle": f"alice_{letter}"}) for letter in "abcdef"]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_visitor_changes_nothing(browser, method):
    path = "/api/v1/me" if method == "PATCH" else "/api/v1/me/picture"
    assert refusal(browser.ask(method, path, {"name": "x"})) == (401, "sign_in_required", None)


def put_picture(browser: Browser, body: bytes):
    csrf = {"X-CSRFToken": browser.http.cookies["csrftoken"].value}
    return browser.http.put("/api/v1/me/picture", body, content_type="image/png", headers=csrf)


def test_picture_is_shown_replaced_and_removed(alice):
    browser = Browser(alice)
    first = put_picture(browser, image_bytes()).json()["picture"]
    served = browser.http.get(first)
    assert (served.status_code, served["Content-Type"], served["X-Content-Type-Options"]) == (200, "image/webp", "nosniff")
    assert served["Cache-Control"] == "public, max-age=31536000, immutable"
    assert b"".join(served.streaming_content)[8:12] == b"WEBP"

    second = put_picture(browser, image_bytes()).json()["picture"]
    assert second != first
    assert browser.ask("DELETE", "/api/v1/me/picture").json()["picture"] is None


@pytest.mark.django_db(transaction=True)
def test_replaced_and_removed_pictures_leave_no_file():
    browser = Browser(Person.objects.create_user("alice"))
    first = put_picture(browser, image_bytes()).json()["picture"].removeprefix("/uploads/")
    second = put_picture(browser, image_bytes()).json()["picture"].removeprefix("/uploads/")
    assert (default_storage.exists(first), default_storage.exists(second)) == (False, True)
    browser.ask("DELETE", "/api/v1/me/picture")
    assert not default_storage.exists(second)


def test_bad_picture_is_refused_and_the_old_one_stays(alice):
    browser = Browser(alice)
    shown = put_picture(browser, image_bytes()).json()["picture"]
    assert refusal(put_picture(browser, b"<svg onload=alert(1)>")) == (400, "invalid", "picture")
    assert refusal(put_picture(browser, b"x" * (8 * 1024 * 1024 + 1))) == (413, "too_large", "picture")
    assert browser.get("/api/v1/me/profile").json()["picture"] == shown


def test_picture_needs_the_csrf_token(alice):
    assert refusal(Browser(alice).http.put("/api/v1/me/picture", image_bytes(), content_type="image/png")) == (403, "csrf_failed", None)


def test_profile_costs_one_query_with_and_without_an_inviter(browser, alice, bob, django_assert_num_queries):
    bob.inviter = alice
    bob.save()
    for handle in ("alice", "bob"):
        with django_assert_num_queries(1):
            browser.get(f"/api/v1/people/{handle}")
