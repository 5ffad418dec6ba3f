"""Jobs of the streams, run by the worker."""

import logging

from procrastinate.contrib.django import app

from salon.streams.actions import trim_events

logger = logging.getLogger(__name__)


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="streams.trim")
def trim_streams(timestamp: int) -> None:
    """timestamp: Unix seconds of the minute it was due; procrastinate hands it to every periodic task."""
    count = trim_events()
    if count:
        logger.info("Old events were dropped.", extra={"action": "events_trimmed", "count": count, "due": timestamp})
