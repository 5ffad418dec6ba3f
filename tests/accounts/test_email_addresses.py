"""A person's own addresses, through allauth's API: add, confirm, make primary, remove."""

import pytest

from salon.accounts.models import Person
from tests.accounts.browser import API, Browser, code_sent_to, refusals

pytestmark = pytest.mark.django_db
ADDRESSES = f"{API}/account/email"


def test_new_address_becomes_primary_after_its_code(browser):
    zoe = browser.sign_up_completely()
    assert browser.post(ADDRESSES, {"email": "new@example.org"}).status_code == 200
    assert browser.type_sign_up_code(code_sent_to("new@example.org")).status_code == 200
    assert browser.ask("PATCH", ADDRESSES, {"email": "new@example.org", "primary": True}).status_code == 200
    zoe.refresh_from_db()
    assert zoe.email == "new@example.org"
    assert browser.ask("DELETE", ADDRESSES, {"email": "zoe@example.org"}).status_code == 200

    elsewhere = Browser()
    elsewhere.request_code(email="new@example.org")
    assert elsewhere.type_code(code_sent_to("new@example.org")).status_code == 200
    assert elsewhere.handle() == "zoe"


def test_address_without_its_code_is_good_for_nothing(browser):
    zoe = browser.sign_up_completely()
    browser.post(ADDRESSES, {"email": "victim@example.org"})
    assert browser.ask("PATCH", ADDRESSES, {"email": "victim@example.org", "primary": True}).status_code == 400
    zoe.refresh_from_db()
    assert zoe.email == "zoe@example.org"
    # Whoever owns the address can still sign up with it.
    assert Browser().sign_up_completely("victim@example.org", "victim").email == "victim@example.org"


def test_somebody_elses_address_stays_theirs(browser, alice):
    alice.emailaddress_set.create(email="alice@example.org", verified=True, primary=True)
    browser.sign_up_completely()
    browser.post(ADDRESSES, {"email": "alice@example.org"})
    # Even with the code, which only the owner has.
    assert refusals(browser.type_sign_up_code(code_sent_to("alice@example.org"))) == [("key", "email_taken")]
    assert browser.ask("PATCH", ADDRESSES, {"email": "alice@example.org", "primary": True}).status_code == 400
    assert Person.objects.get(email="alice@example.org") == alice


def test_last_address_cannot_be_removed(browser):
    browser.sign_up_completely()
    assert refusals(browser.ask("DELETE", ADDRESSES, {"email": "zoe@example.org"})) == [("email", "cannot_remove_primary_email")]
