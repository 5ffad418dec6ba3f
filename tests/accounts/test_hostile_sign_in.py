"""Odd bodies for every address of allauth's API that we serve: refused, never a crash."""

from itertools import product

import pytest

from tests.accounts.browser import API, Browser

pytestmark = pytest.mark.django_db
ADDRESSES = [
    ("POST", "auth/signup", ["email", "handle", "name", "languages", "invitation"]),
    ("POST", "auth/webauthn/signup", ["email", "handle"]),
    ("PUT", "auth/webauthn/signup", ["name", "credential"]),
    ("POST", "auth/webauthn/login", ["credential"]),
    ("POST", "auth/code/request", ["email", "phone"]),
    ("POST", "auth/code/confirm", ["code"]),
    ("POST", "auth/email/verify", ["key"]),
    ("POST", "auth/phone/verify", ["code"]),
    ("POST", "account/email", ["email"]),
    ("PATCH", "account/email", ["email", "primary"]),
    ("PUT", "account/email", ["email"]),
    ("DELETE", "account/email", ["email"]),
    ("POST", "account/phone", ["phone"]),
    ("POST", "account/authenticators/webauthn", ["name", "credential"]),
    ("PUT", "account/authenticators/webauthn", ["id", "name"]),
    ("DELETE", "account/authenticators/webauthn", ["authenticators"]),
    ("DELETE", "auth/session", []),
]
VALUES = [None, 7, -1, 10**30, True, "", "x" * 5_000, "nul\x00", "half \ud800", [], [[]], {}, {"a": {"b": []}}, "zoe@example.org", "٣"]
GOOD = {"email": "zoe@example.org", "handle": "zoe", "phone": "+41790000000", "credential": {}, "code": "123456", "key": "123456"}


@pytest.mark.parametrize(("method", "path", "fields"), ADDRESSES, ids=[f"{method} {path}" for method, path, _ in ADDRESSES])
@pytest.mark.parametrize("signed_in", [False, True], ids=["visitor", "person"])
def test_odd_values_are_refused(alice, method, path, fields, signed_in):
    statuses = set()
    browser = Browser(alice if signed_in else None)
    for field, value in product(fields or ["anything"], VALUES):
        body = {name: GOOD[name] for name in fields if name in GOOD} | {field: value}
        statuses.add(browser.ask(method, f"{API}/{path}", body).status_code)
    assert statuses <= {200, 400, 401, 403, 404, 409, 429}, statuses


@pytest.mark.parametrize(
    "body", ["{", "null", "[]", "7", "[" * 50_000, "é", '{"a": ' + "9" * 5_000 + "}"], ids=lambda body: repr(body[:10])
)
def test_body_that_is_no_object_is_refused(body):
    browser = Browser()
    headers = {"X-CSRFToken": browser.http.cookies["csrftoken"].value}
    response = browser.http.post(f"{API}/auth/signup", body, content_type="application/json", headers=headers)
    assert response.status_code == 400


def test_body_over_the_limit_is_refused_unread(browser):
    response = browser.post(f"{API}/auth/signup", {"email": "x" * 256 * 1024})
    assert (response.status_code, response.json()["errors"][0]["code"]) == (413, "too_large")
