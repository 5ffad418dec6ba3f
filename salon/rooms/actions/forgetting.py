"""Dropping what only a live room needs. docs/subsystems/rooms.md, "What stays, and for how long"."""

from datetime import timedelta

from django.utils import timezone

from salon.rooms.models import LinePlace, Ping, SecondModeratorRequest

# Until then an operator who is asked what happened can look.
KEPT_AFTER_THE_END = timedelta(days=1)


def forget_what_ended_rooms_needed() -> int:
    """Pings, places in line and requests to second moderators; what came of a request stays in the log. Returns how many were dropped."""
    long_ago = timezone.now() - KEPT_AFTER_THE_END
    return sum(kind.objects.filter(room__ended_at__lt=long_ago).delete()[0] for kind in (Ping, LinePlace, SecondModeratorRequest))
