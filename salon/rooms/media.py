"""Talking to the media process: the internal HTTP of docs/subsystems/processes.md.

The standard library's client, one kept-alive connection per thread: web's threads each ask a few times a second at most, and a
request must not wait for another thread's.
"""

import http.client
import json
import threading
from dataclasses import dataclass
from typing import Any

from salon.common.errors import TooManyRequests
from salon.config.environment import environment
from salon.rooms.errors import InvalidSdp, MediaUnavailable, SessionNotFound
from salon.rooms.policy import Policy

# Answering an offer takes milliseconds; a process that needs longer is restarting or overloaded, and the client asks again.
_TIMEOUT_SECS = 3.0
# After so long without a packet the media process itself closes a session that never connected.
_UNFINISHED_SECS = 15
# The engine's word (salon/relay/_engine.pyi) for a fragment with the credentials it has already: candidates of a client that trickles.
_NOTHING_NEW = "no new credentials"
_kept = threading.local()


@dataclass(frozen=True, slots=True)
class OpenedSession:
    session: str
    answer: str
    etag: str


@dataclass(frozen=True, slots=True)
class RestartedIce:
    fragment: str
    etag: str


class GrantRefused(Exception):
    """The media process knows a newer policy than the grant was made by: the person was removed or the room ended meanwhile."""


def open_session(grant: str, offer: str, policy: Policy, source: str = "") -> OpenedSession:
    """source: the address that asks.

    Raises InvalidSdp, GrantRefused, TooManyRequests for somebody, or an address, with many sessions that never connected,
    MediaUnavailable.
    """
    status, body = _ask("POST", "/sessions", {"grant": grant, "offer": offer, "policy": policy, "source": source})
    if status == 201:
        return OpenedSession(body["session"], body["answer"], body["etag"])
    if status == 400:
        raise InvalidSdp(body.get("message"))
    if status == 403:
        raise GrantRefused
    if status == 429:
        raise TooManyRequests(retry_after_secs=_UNFINISHED_SECS)
    raise MediaUnavailable


def restart_ice(session: str, owner: str, fragment: str) -> RestartedIce | None:
    """owner: a person's or a visitor's id. None for a fragment without new credentials.

    Raises InvalidSdp, SessionNotFound, MediaUnavailable.
    """
    status, body = _ask("PATCH", f"/sessions/{session}", {"person": owner, "fragment": fragment})
    if status == 200:
        return RestartedIce(body["fragment"], body["etag"])
    if status == 400 and body.get("message") == _NOTHING_NEW:
        return None
    if status == 400:
        raise InvalidSdp(body.get("message"))
    raise SessionNotFound if status == 404 else MediaUnavailable


def close_session(session: str, owner: str) -> None:
    """Raises SessionNotFound where it has ended already, MediaUnavailable."""
    status, _ = _ask("DELETE", f"/sessions/{session}", {"person": owner})
    if status == 404:
        raise SessionNotFound
    if status != 204:
        raise MediaUnavailable


def _ask(method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Raises MediaUnavailable where no answer comes. Nothing is known then: the request may have been carried out."""
    payload = json.dumps(body)
    headers = {"Content-Type": "application/json", "X-Salon-Internal": environment().internal_secret}
    connection: http.client.HTTPConnection | None = getattr(_kept, "connection", None)
    for kept in (connection, None) if connection else (None,):
        try:
            return _exchange(kept or _connect(), method, path, payload, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            _forget()
            if kept is None:
                raise MediaUnavailable from error
            # A kept connection that the other side closed while it was idle: nothing was read from us, so ask on a new one.
        except (OSError, http.client.HTTPException, ValueError) as error:
            _forget()
            raise MediaUnavailable from error
    raise MediaUnavailable


def _exchange(
    connection: http.client.HTTPConnection, method: str, path: str, payload: str, headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    connection.request(method, path, payload, headers)
    response = connection.getresponse()
    text = response.read()
    parsed = json.loads(text) if text else {}
    return response.status, parsed if isinstance(parsed, dict) else {}


def _connect() -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", environment().media_control_port, timeout=_TIMEOUT_SECS)
    _kept.connection = connection
    return connection


def _forget() -> None:
    connection = getattr(_kept, "connection", None)
    if connection is not None:
        connection.close()
    _kept.connection = None
