"""Reports of sound quality on their way from sockets to the bus: limited for each who reports, and sent on many at a time."""

import asyncio
import logging

from salon.bus import Bus, BusUnavailable
from salon.common.sound_quality import SUBJECT, QualityReport
from salon.gateway.rate import TokenBucket

logger = logging.getLogger(__name__)

INTERVAL_SECS = 5.0
TOGETHER = 24
"""Reports in one message: below what a notification of PostgreSQL holds (salon/bus/notification.py)."""
MOST_WAITING = 5_000
"""A client's minute, times some hundred thousand clients, at ten seconds of bus; beyond it a bus that is away is not waited for."""
# Listening and speaking: two reports a minute, one more at the end of each session, and a network that comes and goes.
_PER_SEC, _BURST = 1 / 15, 8.0
_BUCKETS = 20_000


class QualityReports:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: list[QualityReport] = []
        self._buckets: dict[str, TokenBucket] = {}

    def hear(self, report: QualityReport, *, now: float) -> bool:
        """Take a report to send on. now: monotonic seconds. False: its owner has reported too often."""
        bucket = self._buckets.pop(report["owner"], None) or TokenBucket(per_sec=_PER_SEC, burst=_BURST, now=now)
        # The one used last stands last, so that forgetting begins with whoever has long been quiet.
        self._buckets[report["owner"]] = bucket
        if len(self._buckets) > _BUCKETS:
            del self._buckets[next(iter(self._buckets))]
        if not bucket.take(now):
            return False
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(report)
        return True

    async def run(self) -> None:
        """For ever: what came, every few seconds."""
        while True:
            await asyncio.sleep(INTERVAL_SECS)
            await self.send_on()

    async def send_on(self) -> None:
        """What the bus does not take is lost: nobody waits for it, and the next report comes in a minute."""
        waiting, self._waiting = self._waiting, []
        try:
            for first in range(0, len(waiting), TOGETHER):
                await self._bus.publish(SUBJECT, {"reports": waiting[first : first + TOGETHER]})
        except BusUnavailable:
            logger.info("Reports of sound quality were dropped.", extra={"action": "quality_dropped", "count": len(waiting)})
