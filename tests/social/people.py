"""The API as somebody uses it."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from salon.accounts.actions.tokens import create_token
from salon.accounts.models import Person

Refusal = tuple[int, str, str | None]
NOTHING = {
    "followers": 0,
    "following": 0,
    "i_follow": False,
    "follows_me": False,
    "i_block": False,
    "pings_muted": False,
    "shielded": False,
}
NOT_FOUND: Refusal = (404, "not_found", None)
SIGN_IN: Refusal = (401, "sign_in_required", None)


class Api:
    """One person, or a visitor."""

    def __init__(self, person: Person | None = None) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {create_token(person, 'test')}"} if person else {})

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(f"/api/v1/{path}", query)

    def put(self, path: str, body: object = None) -> Any:
        return self.client.put(f"/api/v1/{path}", "" if body is None else json.dumps(body), "application/json")

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/v1/{path}")

    def relation(self, handle: str) -> dict[str, Any]:
        answer = self.get(f"people/{handle}/relation")
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    def handles(self, path: str, **query: str) -> list[str]:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.content
        return [face["handle"] for face in answer.json()["people"]]


def done(answer: HttpResponse) -> bool:
    """204 and nothing more."""
    assert (answer.status_code, answer.content) == (204, b""), answer.content
    return True


def refusal(answer: HttpResponse) -> Refusal:
    body = json.loads(answer.content)
    assert set(body) == {"code", "message", "field"}, body
    return answer.status_code, body["code"], body["field"]
