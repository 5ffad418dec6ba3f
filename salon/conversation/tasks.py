"""Jobs of the conversation, run by the worker."""

import logging

from procrastinate.contrib.django import app

from salon.conversation.actions import retention

logger = logging.getLogger(__name__)


@app.periodic(cron="37 * * * *")
@app.task(queueing_lock="conversation.retention")
def forget_conversations(timestamp: int) -> None:
    """timestamp: Unix seconds of the minute it was due; procrastinate hands it to every periodic task."""
    count = retention.forget_conversations()
    if count:
        extra = {"action": "conversations_forgotten", "count": count, "due": timestamp}
        logger.info("What was written in rooms that have ended was dropped.", extra=extra)
