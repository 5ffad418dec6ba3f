"""Signing up and in through allauth's headless API, as a browser does it."""

import re

import pytest
from django.test import Client

from salon.accounts.models import DevelopmentMessage, Person

pytestmark = pytest.mark.django_db
API = "/_allauth/browser/v1"


class Browser:
    """A browser that carries the CSRF cookie back, as the client does."""

    def __init__(self) -> None:
        self.http = Client(enforce_csrf_checks=True)
        self.http.get("/api/v1/me")

    def ask(self, method: str, path: str, body: dict | None = None, **headers: str):
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"].value, "Accept-Language": "en", **headers}
        return self.http.generic(method, path, data=_json(body), content_type="application/json", headers=headers)

    def sign_up(self, email: str = "zoe@example.org", handle: str = "zoe", **more):
        return self.ask("POST", f"{API}/auth/signup", {"email": email, "handle": handle, **more})

    def type_code(self, code: str):
        return self.ask("POST", f"{API}/auth/email/verify", {"key": code})

    def me(self) -> dict:
        return self.http.get("/api/v1/me").json()


def _json(body: dict | None) -> str:
    import json

    return json.dumps(body or {})


def code_in_mailbox(recipient: str) -> str:
    message = DevelopmentMessage.objects.filter(recipient=recipient).first()
    assert message is not None, f"nothing was sent to {recipient}"
    return re.search(r"\b\d{6}\b", message.body).group()


def test_sign_up_by_code():
    browser = Browser()
    asked = browser.sign_up(name="Zoé ", languages=["fr", "en"])
    assert asked.status_code == 401, asked.content
    assert [flow["id"] for flow in asked.json()["data"]["flows"] if flow.get("is_pending")] == ["verify_email"]
    assert browser.me()["person"] is None

    assert browser.type_code(code_in_mailbox("zoe@example.org")).status_code == 200
    zoe = Person.objects.get()
    assert browser.me()["person"] == {"id": zoe.id, "handle": "zoe", "name": "Zoé", "picture": None, "languages": ["fr", "en"]}
    assert (zoe.is_pending, zoe.email, zoe.has_usable_password()) == (False, "zoe@example.org", False)
