"""A browser as the server sees one: it keeps cookies, and carries the CSRF cookie back in a header as the client does."""

import json
import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from salon.accounts.models import DevelopmentMessage, Person

API = "/_allauth/browser/v1"


class Browser:
    def __init__(self, person: Person | None = None) -> None:
        self.http = Client(enforce_csrf_checks=True)
        if person is not None:
            self.http.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        self.http.get("/api/v1/me")

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"].value, "Accept-Language": "en", **headers}
        data = "" if body is None else json.dumps(body)
        return self.http.generic(method, path, data=data, content_type="application/json", headers=headers)

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: object = None) -> Any:
        return self.ask("POST", path, {} if body is None else body)

    def sign_up(self, email: str = "zoe@example.org", handle: str = "zoe", **more: object) -> Any:
        return self.post(f"{API}/auth/signup", {"email": email, "handle": handle, **more})

    def type_sign_up_code(self, code: str) -> Any:
        return self.post(f"{API}/auth/email/verify", {"key": code})

    def request_code(self, **to: str) -> Any:
        return self.post(f"{API}/auth/code/request", to)

    def type_code(self, code: str) -> Any:
        return self.post(f"{API}/auth/code/confirm", {"code": code})

    def sign_up_completely(self, email: str = "zoe@example.org", handle: str = "zoe", **more: object) -> Person:
        asked = self.sign_up(email, handle, **more)
        assert asked.status_code == 401, asked.content
        assert self.type_sign_up_code(code_sent_to(email)).status_code == 200
        return Person.objects.get(handle=handle)

    def handle(self) -> str | None:
        """Who the server says one is."""
        person = self.http.get("/api/v1/me").json()["person"]
        return person and person["handle"]


def message_to(recipient: str) -> DevelopmentMessage:
    message = DevelopmentMessage.objects.filter(recipient=recipient).first()
    assert message is not None, f"nothing was sent to {recipient}"
    return message


def code_sent_to(recipient: str) -> str:
    found = re.search(r"\b\d{6}\b", message_to(recipient).body)
    assert found, message_to(recipient).body
    return found.group()


def pending_steps(response: HttpResponse) -> list[str]:
    """allauth's 401 is no failure: it says what comes next."""
    assert response.status_code == 401, response.content
    return [flow["id"] for flow in response.json()["data"]["flows"] if flow.get("is_pending")]  # type: ignore[attr-defined]


def refusals(response: HttpResponse) -> list[tuple[str | None, str]]:
    """allauth's refusals as (field, code)."""
    return [(error.get("param"), error["code"]) for error in response.json()["errors"]]  # type: ignore[attr-defined]


def refusal(response: HttpResponse) -> tuple[int, str, str | None]:
    """Our one error body as (status, code, field)."""
    body = response.json()  # type: ignore[attr-defined]
    assert set(body) == {"code", "message", "field"}, body
    return response.status_code, body["code"], body["field"]
