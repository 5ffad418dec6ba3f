"""Who asks."""

import json
from typing import Any

from django.test import Client

from salon.accounts.actions.tokens import create_token
from salon.accounts.callers import Caller
from salon.accounts.models import Person

VISITOR = Caller(None, "v" * 26, "en")


def caller(person: Person) -> Caller:
    return Caller(person, None, "en")


class Api:
    """The public API as one person, or as a visitor, uses it."""

    def __init__(self, person: Person | None = None) -> None:
        headers = {"Authorization": f"Bearer {create_token(person, 'test')}"} if person else {}
        self.client = Client(headers=headers)

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        return self.client.post(f"/api/v1/{path}", json.dumps(body if body is not None else {}), "application/json", headers=headers)

    def command(self, room: str, name: str, key: str | None = None, **fields: object) -> Any:
        return self.post(f"rooms/{room}/{name}", fields, **({"Idempotency-Key": key} if key else {}))

    def sound(self, room: str, direction: str, offer: bytes = b"v=0\r\n", content_type: str = "application/sdp") -> Any:
        return self.client.post(f"/api/v1/rooms/{room}/{direction}", offer, content_type)

    def state(self, room: str) -> Any:
        return self.get(f"rooms/{room}").json()["state"]

    def mine(self, room: str) -> Any:
        return self.get(f"rooms/{room}").json()["mine"]
