"""What the worker does for people."""

from django.utils import timezone
from procrastinate.contrib.django import app

from salon.accounts.actions.sign_up import discard_abandoned


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="discard_abandoned_sign_ups", pass_context=False)
def discard_abandoned_sign_ups(timestamp: int) -> None:
    discard_abandoned(timezone.now())
