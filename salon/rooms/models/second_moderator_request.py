from django.conf import settings
from django.db import models
from django.db.models import Q

from salon.common.ids import ID_LENGTH, new_id
from salon.rooms.enums import LargeAct, RequestOutcome

from .room import Room


class SecondModeratorRequest(models.Model):
    """A large act that waits for another moderator: the end of a crowded room, one removal too many in a minute."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="requests")
    action = models.CharField(max_length=20)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    target = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    fields = models.JSONField(default=dict)
    """The command's other fields, as they were asked."""
    at = models.DateTimeField()
    expires_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="request_action_known", condition=Q(action__in=[act.value for act in LargeAct])),
            models.CheckConstraint(
                name="request_settled_has_outcome",
                condition=Q(settled_at=None, outcome="")
                | Q(settled_at__isnull=False, outcome__in=[outcome.value for outcome in RequestOutcome]),
            ),
        )
        indexes = (models.Index(name="request_open", fields=["room"], condition=Q(settled_at=None)),)

    def __str__(self) -> str:
        return f"{self.action} in {self.room_id}"
