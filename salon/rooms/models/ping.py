from django.conf import settings
from django.db import models

from .room import Room


class Ping(models.Model):
    """One person called another into a room. Kept to call nobody twice; shown or not, the sender is told the same."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="pings")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="ping_once_per_room", fields=["room", "by", "person"]),)
        indexes = (models.Index(name="ping_by_sender", fields=["by", "at"]),)

    def __str__(self) -> str:
        return f"{self.by_id} calls {self.person_id} into {self.room_id}"
