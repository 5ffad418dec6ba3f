from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Block(models.Model):
    """One person has blocked another. Nobody but the blocker ever sees it."""

    blocker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    blocked = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="block_once", fields=["blocker", "blocked"]),
            models.CheckConstraint(name="block_not_oneself", condition=~Q(blocker=F("blocked"))),
        )
        indexes = (models.Index(name="block_newest", fields=["blocked", "-at"]),)

    def __str__(self) -> str:
        return f"{self.blocker_id} {self.blocked_id}"
