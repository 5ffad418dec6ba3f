from django.conf import settings
from django.db import models
from django.db.models import F, Q


class PingMute(models.Model):
    """One person wants no pings from another, who is not told."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="ping_mute_once", fields=["person", "sender"]),
            models.CheckConstraint(name="ping_mute_not_oneself", condition=~Q(person=F("sender"))),
        )
        indexes = (models.Index(name="ping_mute_newest", fields=["sender", "-at"]),)

    def __str__(self) -> str:
        return f"{self.person_id} {self.sender_id}"
