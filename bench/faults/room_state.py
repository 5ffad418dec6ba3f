"""What must be the same before and after: who is where on the stage, and what each sound session may do."""

import json
import urllib.request
from typing import Any

from bench.installation import Installation
from salon.config.environment import derived_secret

_TIMEOUT_SECS = 10


def sessions(salon: Installation) -> dict[str, tuple[str, str, bool]]:
    """The engine's truth, by session: (person, direction, whether they may be heard). Raises OSError while media does not answer."""
    answer = _ask(salon, f"{salon.media_control}/truth", None)
    return {one["session"]: (one["person"], one["direction"], one["may_be_heard"]) for one in answer["sessions"] if one["connected"]}


def stage(salon: Installation, room: str) -> list[tuple[Any, ...]]:
    """(lock, then person, role, mute of everybody on the stage) as web's snapshot says it."""
    asked = {"stream": f"room/{room}", "person": None, "visitor": None, "after": None}
    state = _ask(salon, f"http://127.0.0.1:{salon.port + 1}/internal/snapshot", asked)["state"]
    places = sorted((place["person"]["id"], place["role"], place["muted"]) for place in state["stage"])
    return [(state["locked"],), *places]


def _ask(salon: Installation, url: str, body: dict[str, Any] | None) -> Any:
    secret = derived_secret(salon.secret_key_file.read_text().strip(), "internal")
    headers = {"X-Salon-Internal": secret, "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)  # noqa: S310  (our own address)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECS) as answer:  # noqa: S310
        return json.load(answer)


def command(salon: Installation, room: str, token: str, name: str, data: dict[str, Any]) -> None:
    """Raises OSError when it is refused."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{salon.base}/api/v1/rooms/{room}/{name}"
    request = urllib.request.Request(url, json.dumps(data).encode(), headers)  # noqa: S310  (our own address)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECS):  # noqa: S310
        pass


def person_of(salon: Installation, token: str) -> str:
    request = urllib.request.Request(f"{salon.base}/api/v1/me", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECS) as answer:  # noqa: S310
        return str(json.load(answer)["person"]["id"])
