"""What was written in a room goes a day after the room's end."""

from datetime import datetime, timedelta

from django.utils import timezone

from salon.conversation.models import ChatMessage, Link, Poll, Question

# Long enough to look a link up the next morning, and for somebody to report what was written.
KEPT_FOR = timedelta(days=1)


def forget_conversations(now: datetime | None = None) -> int:
    """Drop all that was written and voted in rooms that ended more than a day ago. Returns how many rows."""
    before = (now or timezone.now()) - KEPT_FOR
    return sum(model.objects.filter(room__ended_at__lt=before).delete()[0] for model in (ChatMessage, Question, Link, Poll))
