from django.conf import settings
from django.db import models

from .room import Room

REASON_MAX = 300


class Removal(models.Model):
    """A person was put out of a room, until a time or for good. A newer removal lifts the older; so does the end of its time."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="removals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="removals")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=REASON_MAX, blank=True)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    """None: for good."""
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(name="removal_one_in_force", fields=["room", "person"], condition=models.Q(lifted_at=None)),
            models.CheckConstraint(
                name="removal_ends_after_it_begins", condition=models.Q(until=None) | models.Q(until__gt=models.F("at"))
            ),
        )
        indexes = (
            models.Index(name="removal_of_person", fields=["room", "person"]),
            models.Index(name="removal_due", fields=["until"], condition=models.Q(lifted_at=None, until__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.person_id} from {self.room_id}"
