"""One socket as the rest of the gateway sees it: who it speaks for, what it watches, and a way to write that never waits."""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from salon.gateway import limits
from salon.gateway.close_codes import CloseCode
from salon.gateway.frames import frame
from salon.gateway.hallway import HallwayView
from salon.gateway.identity import Identity
from salon.gateway.messages.fields import Number
from salon.gateway.refusals import refusal

logger = logging.getLogger(__name__)

_NOBODY = Identity(None, None)


class Outlet(Protocol):
    """Where frames leave."""

    def write(self, frame: bytes) -> None: ...
    def unsent_bytes(self) -> int: ...
    def close(self, code: CloseCode) -> None:
        """Say goodbye and let go, without waiting for anything."""


class Client:
    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self.identity = _NOBODY
        self.language = "en"
        self.watches: set[str] = set()
        """Names of streams, as between processes."""
        self.hallway = HallwayView()
        self.is_open = True

    def greeted(self, identity: Identity, language: str) -> None:
        self.identity = identity
        self.language = language

    def send(self, frame: bytes) -> None:
        """A prepared frame. A peer that has left too much unread is cut instead; what it costs others is this comparison."""
        if not self.is_open:
            return
        # What waits is measured before writing, so that one large snapshot never cuts a peer that reads.
        if self._outlet.unsent_bytes() > limits.UNSENT_BYTES:
            logger.info("A socket that does not read is cut.", extra={"action": "socket_cut", "person": self.identity.person})
            self.close(CloseCode.SLOW_READER)
        else:
            self._outlet.write(frame)

    def send_message(self, message: Mapping[str, Any]) -> None:
        self.send(frame(message))

    def refuse(self, reply_to: Number, code: str, field: str | None = None) -> None:
        self.send_message({"type": "error", "reply_to": reply_to, **refusal(code, self.language, field)})

    def close(self, code: CloseCode) -> None:
        if self.is_open:
            self.is_open = False
            self._outlet.close(code)
