"""Jobs of sound quality, run by the worker."""

import logging

from procrastinate.contrib.django import app

from salon.quality.actions.keeping import forget_old_quality

logger = logging.getLogger(__name__)


@app.periodic(cron="47 * * * *")
@app.task(queueing_lock="quality.forget")
def forget_quality(timestamp: int) -> None:
    """timestamp: Unix seconds of the minute it was due; procrastinate hands it to every periodic task."""
    count = forget_old_quality()
    if count:
        logger.info("Old sound quality was dropped.", extra={"action": "quality_forgotten", "count": count, "due": timestamp})
