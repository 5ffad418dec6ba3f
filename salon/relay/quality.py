"""What listeners and speakers report of their sound, counted for operators: of sessions that are here and theirs, and of nobody by name."""

import logging

from salon.bus import Bus, MessagesLost
from salon.common.metrics import Histogram, Labels
from salon.common.sound_quality import SHARE_BOUNDS, SUBJECT, QualityReport, reports_of
from salon.relay.sessions import Sessions

logger = logging.getLogger(__name__)

DIRECTIONS = ("listen", "speak")
TRANSPORTS = ("udp", "tcp", "unknown")


class HeardQuality:
    """Since this process started."""

    def __init__(self, sessions: Sessions, bus: Bus) -> None:
        self._sessions = sessions
        self._bus = bus
        self.concealed = Histogram(SHARE_BOUNDS)
        """Of what listeners played."""
        self.lost = {_direction(direction): Histogram(SHARE_BOUNDS) for direction in DIRECTIONS}
        self.reports: dict[Labels, int] = {
            (*_direction(direction), ("transport", transport)): 0 for direction in DIRECTIONS for transport in TRANSPORTS
        }

    async def follow(self) -> None:
        """For ever."""
        async for item in await self._bus.subscribe(SUBJECT):
            if isinstance(item, MessagesLost):
                continue
            try:
                for report in reports_of(item.parsed()):
                    self.hear(report)
            except (ValueError, KeyError, TypeError):
                logger.exception("Reports of sound quality cannot be read.", extra={"action": "quality_unreadable"})

    def hear(self, report: QualityReport) -> None:
        """Count it, if it is of a session here that its owner reports."""
        session = self._sessions.get(report["session"])
        if session is None or session.person != report["owner"] or not session.is_connected:
            return
        self.reports[(*_direction(session.direction), ("transport", report["transport"] or "unknown"))] += 1
        if report["lost_share"] is not None:
            self.lost[_direction(session.direction)].observe(report["lost_share"])
        if report["concealed_share"] is not None and session.direction == "listen":
            self.concealed.observe(report["concealed_share"])


def _direction(direction: str) -> Labels:
    return (("direction", direction),)
