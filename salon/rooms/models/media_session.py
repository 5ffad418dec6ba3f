from django.conf import settings
from django.db import models
from django.db.models import Q

from salon.common.ids import ID_LENGTH
from salon.rooms.enums import Direction

from .room import Room


class MediaSession(models.Model):
    """Whose a sound session is. What it really does only the media process knows."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, editable=False)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="media_sessions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="media_sessions")
    visitor = models.CharField(max_length=ID_LENGTH, null=True)
    direction = models.CharField(max_length=10)
    etag = models.CharField(max_length=100)
    """Of the session's ICE credentials (RFC 9725 section 4.3.1)."""
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=20, blank=True)
    """What the media process gave, or "left" where the owner left."""

    class Meta:
        constraints = (
            models.CheckConstraint(name="media_session_has_one_owner", condition=Q(person=None) ^ Q(visitor=None)),
            models.CheckConstraint(name="media_session_visitor_only_listens", condition=Q(visitor=None) | Q(direction=Direction.LISTEN)),
            models.CheckConstraint(name="media_session_direction_known", condition=Q(direction__in=[kind.value for kind in Direction])),
        )
        indexes = (models.Index(name="media_session_open", fields=["room", "person", "visitor"], condition=Q(ended_at=None)),)

    def __str__(self) -> str:
        return f"{self.direction} {self.id}"

    @property
    def owner(self) -> str:
        """A person's id or a visitor's: what the media process calls `person`."""
        return str(self.person_id or self.visitor)
