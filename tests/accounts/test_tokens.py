import pytest
from django.test import Client

from salon.accounts.actions.tokens import MOST_TOKENS, create_token
from salon.accounts.models import AccessToken
from tests.accounts.browser import Browser, refusal

pytestmark = pytest.mark.django_db


def script(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_token_is_made_used_listed_and_revoked(alice):
    browser = Browser(alice)
    made = browser.post("/api/v1/tokens", {"name": " My bot "})
    assert made.status_code == 201, made.content
    token = made.json()
    assert (token["name"], token["last_used_on"], len(token["secret"])) == ("My bot", None, 49)

    # A script needs no cookie and no CSRF token, also to change something.
    as_script = Client(enforce_csrf_checks=True, headers=script(token["secret"]))
    assert as_script.get("/api/v1/me").json()["person"]["handle"] == "alice"
    assert as_script.patch("/api/v1/me", {"bio": "by script"}, content_type="application/json").json()["bio"] == "by script"

    (listed,) = browser.get("/api/v1/tokens").json()["tokens"]
    assert (listed["id"], "secret" in listed, listed["last_used_on"] is None) == (token["id"], False, False)
    assert browser.ask("DELETE", f"/api/v1/tokens/{token['id']}").status_code == 204
    assert refusal(as_script.get("/api/v1/me")) == (401, "token_invalid", None)


def test_others_tokens_do_not_exist(alice, bob):
    create_token(alice, "bot")
    token = AccessToken.objects.get()
    assert Browser(bob).get("/api/v1/tokens").json() == {"tokens": []}
    assert refusal(Browser(bob).ask("DELETE", f"/api/v1/tokens/{token.id}")) == (404, "not_found", None)
    assert AccessToken.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "x" * 61, "a\x00b"])
def test_bad_name_is_refused(alice, name):
    assert refusal(Browser(alice).post("/api/v1/tokens", {"name": name})) == (400, "invalid", "name")


def test_tokens_are_limited(alice):
    for n in range(MOST_TOKENS):
        create_token(alice, f"bot {n}")
    assert refusal(Browser(alice).post("/api/v1/tokens", {"name": "one more"})) == (409, "too_many_tokens", None)


def test_visitor_has_no_tokens(browser):
    assert refusal(browser.get("/api/v1/tokens")) == (401, "sign_in_required", None)
    assert refusal(browser.post("/api/v1/tokens", {"name": "bot"})) == (401, "sign_in_required", None)


def test_session_without_the_csrf_token_makes_no_token(alice):
    response = Browser(alice).http.post("/api/v1/tokens", {"name": "bot"}, content_type="application/json")
    assert refusal(response) == (403, "csrf_failed", None)
    assert not AccessToken.objects.exists()


def test_list_costs_the_same_queries_with_one_and_three(alice, django_assert_num_queries):
    browser = Browser(alice)
    for wanted in (1, 3):
        while AccessToken.objects.count() < wanted:
            create_token(alice, "bot")
        with django_assert_num_queries(3):  # session, person, tokens
            assert len(browser.get("/api/v1/tokens").json()["tokens"]) == wanted
