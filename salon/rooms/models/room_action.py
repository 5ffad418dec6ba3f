from django.conf import settings
from django.db import models

from .room import Room


class RoomAction(models.Model):
    """The audit record: who did what to whom in a room. Written in the transaction of the deed itself, never changed."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="room_actions")
    action = models.CharField(max_length=40)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    """None: Salon itself, on what the media process reported."""
    target = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(name="room_action_by_time", fields=["room", "at"]),)

    def __str__(self) -> str:
        return f"{self.action} in {self.room_id}"
