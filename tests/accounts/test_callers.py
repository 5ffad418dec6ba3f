import hashlib

import pytest
from django.test import Client, RequestFactory
from django.utils import translation

from salon.accounts.actions.tokens import create_token
from salon.accounts.callers import caller_of, person_of
from salon.accounts.errors import CsrfFailed, SignInRequired, TokenInvalid
from salon.accounts.models import AccessToken, Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Person:
    return Person.objects.create_user("alice")


def request_by(path="/api/v1/me", *, user=None, method="get", **extra):
    from django.contrib.auth.models import AnonymousUser

    request = getattr(RequestFactory(enforce_csrf_checks=True), method)(path, **extra)
    request._dont_enforce_csrf_checks = False
    request.user = user or AnonymousUser()
    return request


def test_bearer_token_names_its_person(alice):
    request = request_by(headers={"Authorization": f"Bearer {create_token(alice, 'script')}"}, method="post")
    assert person_of(request) == alice
    assert caller_of(request).visitor is None


def test_secret_is_not_stored(alice):
    secret = create_token(alice, "script")
    assert AccessToken.objects.get().secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "bearer ", "Bearer salon_é"])
def test_bad_bearer_token_is_refused_even_beside_a_session(alice, header):
    with pytest.raises(TokenInvalid):
        caller_of(request_by(user=alice, headers={"Authorization": header}))


def test_token_of_a_deactivated_person_is_refused(alice):
    secret = create_token(alice, "script")
    alice.is_active = False
    alice.save()
    with pytest.raises(TokenInvalid):
        caller_of(request_by(headers={"Authorization": f"Bearer {secret}"}))


def test_session_reads_without_csrf_and_changes_only_with_it(alice):
    assert person_of(request_by(user=alice)) == alice
    with pytest.raises(CsrfFailed):
        caller_of(request_by(user=alice, method="post"))
    request = request_by(user=alice, method="post", headers={"X-CSRFToken": "a" * 32})
    request.COOKIES["csrftoken"] = "a" * 32
    assert person_of(request) == alice


def test_visitor_may_post_without_csrf_but_is_no_person():
    request = request_by(method="post")
    assert caller_of(request).person is None
    with pytest.raises(SignInRequired):
        person_of(request)


def test_visitor_keeps_the_id_of_the_cookie_and_a_forged_cookie_gets_a_new_one():
    client = Client()
    client.get("/api/v1/me")
    cookie = client.cookies["visitor"].value
    first, again = (request_by(headers={"Cookie": f"visitor={cookie}"}) for _ in range(2))
    assert caller_of(first).visitor == caller_of(again).visitor
    forged = request_by(headers={"Cookie": f"visitor=aaaaaaaaaaaaaaaaaaaaaaaaaa{cookie[26:]}"})
    assert caller_of(forged).visitor not in (caller_of(first).visitor, "aaaaaaaaaaaaaaaaaaaaaaaaaa")


def test_language_is_accept_language_before_the_profile(client):
    bob = Person.objects.create_user("bob", languages=["sw", "fr"])
    bearer = {"Authorization": f"Bearer {create_token(bob, 'script')}"}

    def refusal_in(**headers):
        return client.get("/api/v1/me", {}, headers={"Authorization": "Bearer x", **headers}).json()["message"]

    with translation.override("en"):
        assert caller_of(request_by(headers=bearer)).language == "fr"
    with translation.override("en"):
        assert caller_of(request_by(headers={**bearer, "Accept-Language": "en"})).language == "en"
    assert refusal_in(**{"Accept-Language": "en"}) == "This access token is not valid. Make a new one."
