"""The development mailbox: what would have been sent, at /development/mailbox and /api/v1/development/mailbox. 404 in production."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from salon.accounts.models import DevelopmentMessage
from salon.common.errors import NotFound
from salon.config.environment import environment

_SHOWN = 50


def newest_messages(recipient: str | None = None) -> list[dict[str, Any]]:
    """Raises NotFound on a production installation."""
    if not environment().is_development:
        raise NotFound
    messages = DevelopmentMessage.objects.all()
    if recipient:
        messages = messages.filter(recipient=recipient.lower())
    return [dict(message) for message in messages.values("channel", "recipient", "subject", "body", "sent_at")[:_SHOWN]]


@require_safe
@never_cache
def mailbox_page(request: HttpRequest) -> HttpResponse:
    try:
        messages = newest_messages()
    except NotFound as error:
        raise Http404 from error
    return render(request, "development/mailbox.html", {"messages": messages})
