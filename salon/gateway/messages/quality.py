import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from salon.common.ids import is_id
from salon.common.sound_quality import QualityReport
from salon.gateway.messages.fields import FieldInvalid, Fields, Number

if TYPE_CHECKING:
    from salon.gateway.client import Client
    from salon.gateway.gateway import Gateway

_LONGEST_SECS = 600
# 400 a second is the most that a session may send (docs/subsystems/media.md), and a listener has three slots.
_MOST_PACKETS = 3 * 400 * _LONGEST_SECS
_LONGEST_MS = 60_000
TRANSPORTS = ("udp", "tcp")


@dataclass(frozen=True, slots=True)
class Quality:
    """What really arrives of one's sound. Whether the session is one's own, those who use it look up."""

    id: Number
    session: str
    period_secs: float
    packets: int
    lost_share: float | None
    jitter_ms: float | None
    concealed_share: float | None
    delay_ms: float | None
    round_trip_ms: float | None
    transport: str | None

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        return cls(
            fields.number("id"),
            _session(fields),
            fields.number_between("period_secs", 1, _LONGEST_SECS),
            int(fields.number_between("packets", 0, _MOST_PACKETS)),
            fields.optional_number_between("lost_share", 0, 1),
            fields.optional_number_between("jitter_ms", 0, _LONGEST_MS),
            fields.optional_number_between("concealed_share", 0, 1),
            fields.optional_number_between("delay_ms", 0, _LONGEST_MS),
            fields.optional_number_between("round_trip_ms", 0, _LONGEST_MS),
            _transport(fields),
        )

    async def handle(self, client: "Client", gateway: "Gateway") -> None:
        owner = client.identity.person or client.identity.visitor
        if owner is None or not gateway.quality.hear(self._report(owner), now=time.monotonic()):
            return client.refuse(self.id, "too_many_requests")
        client.send_message({"type": "done", "reply_to": self.id})
        return None

    def _report(self, owner: str) -> QualityReport:
        return {
            "session": self.session,
            "owner": owner,
            "period_secs": self.period_secs,
            "packets": self.packets,
            "lost_share": self.lost_share,
            "jitter_ms": self.jitter_ms,
            "concealed_share": self.concealed_share,
            "delay_ms": self.delay_ms,
            "round_trip_ms": self.round_trip_ms,
            "transport": self.transport,
        }


def _session(fields: Fields) -> str:
    session = fields.text("session")
    if not is_id(session):
        raise FieldInvalid("session")
    return session


def _transport(fields: Fields) -> str | None:
    transport = fields.optional_text("transport")
    if transport is not None and transport not in TRANSPORTS:
        raise FieldInvalid("transport")
    return transport
