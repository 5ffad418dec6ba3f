"""Signing up and in by code, through allauth's headless API as a browser does it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from salon.accounts.actions.sign_up import discard_abandoned
from salon.accounts.models import DevelopmentMessage, Person
from salon.accounts.tasks import discard_abandoned_sign_ups
from tests.accounts.browser import API, Browser, code_sent_to, message_to, pending_steps, refusals

pytestmark = pytest.mark.django_db


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_sign_up_by_code(browser):
    assert pending_steps(browser.sign_up(name="Zoé ", languages=["fr", "en"])) == ["verify_email"]
    assert browser.handle() is None

    assert browser.type_sign_up_code(code_sent_to("zoe@example.org")).status_code == 200
    zoe = Person.objects.get()
    expected = {"id": zoe.id, "handle": "zoe", "name": "Zoé", "picture": None, "languages": ["fr", "en"]}
    assert browser.get("/api/v1/me").json()["person"] == expected
    assert (zoe.is_pending, zoe.email, zoe.has_usable_password()) == (False, "zoe@example.org", False)


def test_wrong_code_is_refused_and_the_third_ends_the_attempt(browser):
    browser.sign_up()
    code = code_sent_to("zoe@example.org")
    assert refusals(browser.type_sign_up_code(another(code))) == [("key", "incorrect_code")]
    browser.type_sign_up_code(another(code))
    browser.type_sign_up_code(another(code))
    assert browser.type_sign_up_code(code).status_code == 409
    assert browser.handle() is None


def test_sign_in_by_code(browser, alice):
    alice.emailaddress_set.create(email="alice@example.org", verified=True, primary=True)
    assert pending_steps(browser.request_code(email="Alice@Example.org")) == ["login_by_code"]
    code = code_sent_to("alice@example.org")
    assert refusals(browser.type_code(another(code))) == [("code", "incorrect_code")]
    assert browser.type_code(code).status_code == 200
    assert browser.handle() == "alice"


def test_code_works_once(browser, alice):
    alice.emailaddress_set.create(email="alice@example.org", verified=True, primary=True)
    browser.request_code(email="alice@example.org")
    code = code_sent_to("alice@example.org")
    browser.type_code(code)
    browser.ask("DELETE", f"{API}/auth/session")
    assert browser.type_code(code).status_code == 409
    assert browser.handle() is None


def test_code_does_not_work_in_another_browser(browser, alice):
    alice.emailaddress_set.create(email="alice@example.org", verified=True, primary=True)
    browser.request_code(email="alice@example.org")
    stranger = Browser()
    assert stranger.type_code(code_sent_to("alice@example.org")).status_code == 409
    assert stranger.handle() is None


def test_unknown_address_gets_the_same_answer_and_another_mail(browser, alice):
    alice.emailaddress_set.create(email="alice@example.org", verified=True, primary=True)
    known = browser.request_code(email="alice@example.org")
    unknown = Browser().request_code(email="nobody@example.org")
    assert (unknown.status_code, unknown.json()) == (known.status_code, known.json())
    assert message_to("nobody@example.org").subject == "There is no Salon account for this address"


def test_sign_up_with_a_members_address_looks_alike_and_tells_only_the_member(browser, alice):
    alice.emailaddress_set.create(email="alice@example.org", verified=True, primary=True)
    assert pending_steps(browser.sign_up("alice@example.org", "mallory")) == ["verify_email"]
    assert message_to("alice@example.org").subject == "You already have a Salon account"
    assert not Person.objects.filter(handle="mallory").exists()


def test_log_out(alice):
    browser = Browser(alice)
    assert browser.handle() == "alice"
    assert browser.ask("DELETE", f"{API}/auth/session").status_code == 401
    assert browser.handle() is None


def test_deactivated_person_cannot_sign_in(browser, alice):
    alice.emailaddress_set.create(email="alice@example.org", verified=True, primary=True)
    alice.is_active = False
    alice.save()
    browser.request_code(email="alice@example.org")
    if DevelopmentMessage.objects.filter(recipient="alice@example.org", subject__contains="is your Salon code").exists():
        browser.type_code(code_sent_to("alice@example.org"))
    assert browser.handle() is None


def test_code_can_be_sent_again_and_the_first_one_is_void(browser, alice):
    alice.emailaddress_set.create(email="alice@example.org", verified=True, primary=True)
    browser.request_code(email="alice@example.org")
    first = code_sent_to("alice@example.org")
    assert browser.post(f"{API}/auth/code/resend").status_code == 200
    second = code_sent_to("alice@example.org")
    if first != second:
        assert browser.type_code(first).status_code == 400
    assert browser.type_code(second).status_code == 200


def test_too_many_codes_for_one_address_is_refused_with_429(alice):
    alice.emailaddress_set.create(email="alice@example.org", verified=True, primary=True)
    answers = [Browser().request_code(email="alice@example.org").status_code for _ in range(4)]
    assert answers == [401, 401, 401, 429]


def test_too_many_sign_ups_from_one_address_is_refused_with_429(production_limits):
    answers = [Browser().sign_up(f"n{n}@example.org", f"newcomer_{n:x}").status_code for n in range(2, 13)]
    assert answers == [401] * 10 + [429]


def test_rate_limit_counts_the_address_the_gateway_saw(browser, production_limits):
    """The last of X-Forwarded-For is the gateway's; what a client writes before it changes nothing."""
    for n in range(20):
        browser.ask("POST", f"{API}/auth/code/request", {"email": f"n{n}@example.org"}, **{"X-Forwarded-For": f"10.0.0.{n}, 192.0.2.1"})
    body = {"email": "last@example.org"}
    assert browser.ask("POST", f"{API}/auth/code/request", body, **{"X-Forwarded-For": "10.9.9.9, 192.0.2.1"}).status_code == 429
    assert browser.ask("POST", f"{API}/auth/code/request", body, **{"X-Forwarded-For": "10.9.9.9, 192.0.2.2"}).status_code == 401


def test_sign_up_without_csrf_token_is_refused(browser):
    response = browser.ask("POST", f"{API}/auth/signup", {"email": "zoe@example.org", "handle": "zoe"}, **{"X-CSRFToken": ""})
    assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")
    assert not Person.objects.exists()


@pytest.mark.parametrize("path", ["auth/login", "auth/password/request", "auth/password/reset", "account/password/change"])
def test_there_are_no_passwords(alice, path):
    assert Browser(alice).post(f"{API}/{path}", {"email": "alice@example.org", "password": "x"}).status_code == 404


def test_mail_is_in_the_language_of_the_browser(browser, french):
    browser.ask("POST", f"{API}/auth/signup", {"email": "zoe@example.org", "handle": "zoe"}, **{"Accept-Language": "fr-CH, en;q=0.5"})
    message = message_to("zoe@example.org")
    assert message.subject == f"{code_sent_to('zoe@example.org')} est votre code Salon"


def test_newcomer_who_begins_again_gets_a_new_code_and_keeps_the_handle(browser):
    browser.sign_up()
    first_code = code_sent_to("zoe@example.org")
    again = Browser()
    assert pending_steps(again.sign_up()) == ["verify_email"]
    # The first browser's attempt is over; only the newest code counts.
    assert browser.type_sign_up_code(first_code).status_code == 409
    assert browser.handle() is None
    assert again.type_sign_up_code(code_sent_to("zoe@example.org")).status_code == 200
    assert again.handle() == "zoe"


def test_abandoned_sign_up_gives_the_handle_back(browser):
    browser.sign_up()
    assert refusals(Browser().sign_up("other@example.org")) == [("handle", "handle_taken")]
    now = timezone.now()
    assert discard_abandoned(now + timedelta(minutes=29)) == 0
    assert discard_abandoned(now + timedelta(minutes=31)) == 1
    assert pending_steps(Browser().sign_up("other@example.org")) == ["verify_email"]


def test_worker_discards_what_was_abandoned(browser):
    browser.sign_up()
    discard_abandoned_sign_ups(timestamp=0)
    assert Person.objects.exists()
    Person.objects.update(joined_at=timezone.now() - timedelta(minutes=31))
    discard_abandoned_sign_ups(timestamp=0)
    assert not Person.objects.exists()


def test_confirmed_person_is_never_discarded(browser):
    browser.sign_up_completely()
    assert discard_abandoned(timezone.now() + timedelta(days=365)) == 0


def test_phone_number_becomes_a_second_way_in(browser):
    zoe = browser.sign_up_completely()
    assert browser.post(f"{API}/account/phone", {"phone": "+41790000000"}).status_code == 202
    assert browser.post(f"{API}/auth/phone/verify", {"code": code_sent_to("+41790000000")}).status_code == 200
    zoe.refresh_from_db()
    assert zoe.phone == "+41790000000"

    elsewhere = Browser()
    assert pending_steps(elsewhere.request_code(phone="+41790000000")) == ["login_by_code"]
    assert elsewhere.type_code(code_sent_to("+41790000000")).status_code == 200
    assert elsewhere.handle() == "zoe"
