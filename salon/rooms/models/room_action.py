from django.conf import settings
from django.db import models

from salon.common.ids import ID_LENGTH, new_id

from .removal import REASON_MAX
from .room import Room


class RoomAction(models.Model):
    """The audit record: who did what to whom in a room. Written in the transaction of the deed itself, never changed."""

    public_id = models.CharField(max_length=ID_LENGTH, default=new_id, editable=False)
    """How the log names it; `id` says the order, and would tell how much happens elsewhere."""
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="room_actions")
    action = models.CharField(max_length=40)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    """None: Salon itself, on what the media process reported."""
    target = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=REASON_MAX, blank=True)
    """A moderator's own words to the target."""
    data = models.JSONField(default=dict)
    logged = models.BooleanField(default=False)
    """In the log that the room's moderators see: what a moderator did as one."""
    at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(name="room_action_by_time", fields=["room", "at"]),
            models.Index(name="room_action_logged", fields=["room", "-id"], condition=models.Q(logged=True)),
        )

    def __str__(self) -> str:
        return f"{self.action} in {self.room_id}"
