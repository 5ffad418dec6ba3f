from django.conf import settings
from django.db import models

from .room import Room

KEY_MAX = 100


class CommandReceipt(models.Model):
    """The answer a command got, kept ten minutes for a retry that lost it. Only answers: a refusal changed nothing and is decided anew."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=KEY_MAX)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    """HMAC-SHA-256 of room, name and fields: tells a retry from another command under the same key, and nobody what the command was."""
    answer = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(name="command_receipt_key", fields=["person", "key"]),)
        indexes = (models.Index(name="command_receipt_age", fields=["at"]),)

    def __str__(self) -> str:
        return f"{self.key} of {self.person_id}"
