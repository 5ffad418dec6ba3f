from django.conf import settings
from django.db import models

from .room import Room


class Guest(models.Model):
    """Somebody whom a moderator invited into a room: may enter it whatever its visibility, also while it is locked."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="guests")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="guest_once_per_room", fields=["room", "person"]),)

    def __str__(self) -> str:
        return f"{self.person_id} into {self.room_id}"
