"""Jobs of the rooms, run by the worker."""

import logging

from procrastinate.contrib.django import app

from salon.rooms.actions.forgetting import forget_what_ended_rooms_needed
from salon.rooms.actions.sound import forget_ended_sessions
from salon.rooms.commands import forget_old_receipts

logger = logging.getLogger(__name__)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="rooms.receipts")
def forget_receipts(timestamp: int) -> None:
    """timestamp: Unix seconds of the minute it was due; procrastinate hands it to every periodic task."""
    count = forget_old_receipts()
    if count:
        logger.info("Old command receipts were dropped.", extra={"action": "receipts_forgotten", "count": count, "due": timestamp})


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="rooms.sessions")
def forget_sessions(timestamp: int) -> None:
    """timestamp: as for `forget_receipts`."""
    count = forget_ended_sessions()
    if count:
        logger.info("Old sound sessions were dropped.", extra={"action": "sessions_forgotten", "count": count, "due": timestamp})


@app.periodic(cron="37 * * * *")
@app.task(queueing_lock="rooms.ended")
def forget_ended_rooms(timestamp: int) -> None:
    """timestamp: as for `forget_receipts`."""
    count = forget_what_ended_rooms_needed()
    if count:
        logger.info("What ended rooms needed was dropped.", extra={"action": "ended_rooms_forgotten", "count": count, "due": timestamp})
