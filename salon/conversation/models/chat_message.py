from django.conf import settings
from django.db import models
from django.db.models import Q

from salon.common.ids import ID_LENGTH, new_id
from salon.rooms.models import Room

TEXT_MAX = 500


class ChatMessage(models.Model):
    """One message in a room's chat. Never changed; deleted, it is shown to nobody and kept until the room's conversation is dropped."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="chat_messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=TEXT_MAX)
    seq = models.BigIntegerField()
    """The number of the event that told it: the order of messages, whatever clocks and ids say."""
    shown_from = models.BigIntegerField()
    """`seq` of the oldest message that was still shown once this one was posted; docs/subsystems/conversation.md, "The newest hundred"."""
    posted_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(name="chat_message_number", fields=["room", "seq"]),
            models.CheckConstraint(name="chat_message_deleter_needs_time", condition=Q(deleted_by=None) | Q(deleted_at__isnull=False)),
        )
        indexes = (models.Index(name="chat_message_of_author", fields=["room", "author", "posted_at"]),)

    def __str__(self) -> str:
        return f"{self.id} in {self.room_id}"
