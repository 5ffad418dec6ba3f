from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from salon.rooms.enums import Direction
from salon.rooms.models import Room


class SoundQuality(models.Model):
    """How one person's sound in one room was in ten minutes: of each measure the worst step that was reported (domain/steps.py).

    No address, no device, no finer figure. Visitors have none of these.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+")
    direction = models.CharField(max_length=10)
    at = models.DateTimeField()
    """When the ten minutes began."""
    reports = models.PositiveSmallIntegerField()
    transport = models.CharField(max_length=3, blank=True)
    """The last one reported: udp, tcp, or unknown."""
    lost = models.PositiveSmallIntegerField(null=True)
    concealed = models.PositiveSmallIntegerField(null=True)
    jitter = models.PositiveSmallIntegerField(null=True)
    delay = models.PositiveSmallIntegerField(null=True)
    round_trip = models.PositiveSmallIntegerField(null=True)

    class Meta:
        verbose_name_plural = _("sound quality")
        constraints = (
            models.UniqueConstraint(name="sound_quality_once", fields=["person", "room", "direction", "at"]),
            models.CheckConstraint(name="sound_quality_direction_known", condition=Q(direction__in=[kind.value for kind in Direction])),
        )
        indexes = (
            models.Index(name="sound_quality_newest", fields=["person", "-at"]),
            models.Index(name="sound_quality_oldest", fields=["at"]),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"
