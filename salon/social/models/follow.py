from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Follow(models.Model):
    """One person follows another, who need not follow back."""

    follower = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    followed = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="follow_once", fields=["follower", "followed"]),
            models.CheckConstraint(name="follow_not_oneself", condition=~Q(follower=F("followed"))),
        )
        indexes = (models.Index(name="follow_newest", fields=["followed", "-at"]),)

    def __str__(self) -> str:
        return f"{self.follower_id} {self.followed_id}"
