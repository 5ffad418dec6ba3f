"""Passkeys through allauth's headless API, with an authenticator in software. Real browsers do it in the journeys."""

import pytest

from salon.accounts.models import Person
from tests.accounts.browser import API, Browser, code_sent_to, pending_steps
from tests.accounts.soft_authenticator import SoftAuthenticator

pytestmark = pytest.mark.django_db


def add_passkey(browser: Browser) -> SoftAuthenticator:
    authenticator = SoftAuthenticator()
    options = browser.get(f"{API}/account/authenticators/webauthn?passwordless").json()["data"]["creation_options"]["publicKey"]
    added = browser.post(f"{API}/account/authenticators/webauthn", {"name": "Laptop", "credential": authenticator.create(options)})
    assert added.status_code == 200, added.content
    return authenticator


def sign_in_with(browser: Browser, authenticator: SoftAuthenticator):
    options = browser.get(f"{API}/auth/webauthn/login").json()["data"]["request_options"]["publicKey"]
    return browser.post(f"{API}/auth/webauthn/login", {"credential": authenticator.get(options)})


def test_sign_up_with_a_passkey(browser):
    asked = browser.post(f"{API}/auth/webauthn/signup", {"email": "zoe@example.org", "handle": "zoe", "name": "Zoé"})
    assert pending_steps(asked) == ["verify_email"]
    assert "mfa_signup_webauthn" in pending_steps(browser.type_sign_up_code(code_sent_to("zoe@example.org")))

    authenticator = SoftAuthenticator()
    options = browser.get(f"{API}/auth/webauthn/signup").json()["data"]["creation_options"]["publicKey"]
    assert (options["rp"], options["user"]["name"]) == ({"id": "localhost", "name": "Salon"}, "zoe")
    created = browser.ask("PUT", f"{API}/auth/webauthn/signup", {"name": "Phone", "credential": authenticator.create(options)})
    assert created.status_code == 200, created.content
    assert browser.handle() == "zoe"

    elsewhere = Browser()
    assert sign_in_with(elsewhere, authenticator).status_code == 200
    assert elsewhere.handle() == "zoe"


def test_add_a_passkey_and_sign_in_with_it(browser):
    browser.sign_up_completely()
    authenticator = add_passkey(browser)
    elsewhere = Browser()
    assert sign_in_with(elsewhere, authenticator).status_code == 200
    assert elsewhere.handle() == "zoe"


def test_who_has_a_passkey_still_signs_in_by_code_alone(browser):
    browser.sign_up_completely()
    add_passkey(browser)
    elsewhere = Browser()
    elsewhere.request_code(email="zoe@example.org")
    assert elsewhere.type_code(code_sent_to("zoe@example.org")).status_code == 200
    assert elsewhere.handle() == "zoe"


def test_forged_signature_is_refused(browser):
    browser.sign_up_completely()
    authenticator = add_passkey(browser)
    forger = SoftAuthenticator()
    forger.credential_id, forger.user_handle = authenticator.credential_id, authenticator.user_handle
    elsewhere = Browser()
    assert sign_in_with(elsewhere, forger).status_code == 400
    assert elsewhere.handle() is None


def test_answer_to_an_older_challenge_is_refused(browser):
    browser.sign_up_completely()
    authenticator = add_passkey(browser)
    elsewhere = Browser()
    old = elsewhere.get(f"{API}/auth/webauthn/login").json()["data"]["request_options"]["publicKey"]
    elsewhere.get(f"{API}/auth/webauthn/login")
    assert elsewhere.post(f"{API}/auth/webauthn/login", {"credential": authenticator.get(old)}).status_code == 400
    assert elsewhere.handle() is None


@pytest.mark.parametrize("credential", [{}, {"id": "x"}, {"response": None}, {"response": {"userHandle": "!"}}, "text", 7, [], None])
def test_garbage_instead_of_a_credential_is_refused(browser, credential):
    browser.get(f"{API}/auth/webauthn/login")
    assert browser.post(f"{API}/auth/webauthn/login", {"credential": credential}).status_code == 400
    assert browser.handle() is None


def test_passkey_can_be_removed(browser):
    browser.sign_up_completely()
    authenticator = add_passkey(browser)
    (passkey,) = browser.get(f"{API}/account/authenticators").json()["data"]
    assert browser.ask("DELETE", f"{API}/account/authenticators/webauthn", {"authenticators": [passkey["id"]]}).status_code == 200
    elsewhere = Browser()
    assert sign_in_with(elsewhere, authenticator).status_code == 400
    assert elsewhere.handle() is None


def test_passkey_of_a_deactivated_person_opens_nothing(browser):
    browser.sign_up_completely()
    authenticator = add_passkey(browser)
    Person.objects.update(is_active=False)
    elsewhere = Browser()
    sign_in_with(elsewhere, authenticator)
    assert elsewhere.handle() is None
