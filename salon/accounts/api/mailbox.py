from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from salon.accounts.mailbox import newest_messages
from salon.common.wire import refusals

router = Router(tags=["development"])


class MessageBody(Schema):
    channel: str
    recipient: str
    subject: str
    body: str
    sent_at: datetime


class Mailbox(Schema):
    messages: list[MessageBody]


@router.get("/development/mailbox", response={200: Mailbox, **refusals(404)})
def mailbox(request: HttpRequest, recipient: str | None = None) -> dict[str, Any]:
    """What would have been sent, newest first; only on development installations."""
    return {"messages": newest_messages(recipient)}
