from django.conf import settings
from django.db import models
from django.db.models import Q

from salon.common.ids import ID_LENGTH

from .room import Room


class LinePlace(models.Model):
    """One person, or visitor, in line for a full room. The order is that of `id`.

    Admitted, it keeps a seat free until `admitted_until`; it is deleted by entering, by giving up, and when nobody asks for it any more.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="line")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    visitor = models.CharField(max_length=ID_LENGTH, null=True)
    joined_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    """When its owner last asked: who asks no more has gone."""
    admitted_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="line_place_has_one_owner", condition=Q(person=None) ^ Q(visitor=None)),
            models.UniqueConstraint(name="line_place_once_per_person", fields=["room", "person"]),
            models.UniqueConstraint(name="line_place_once_per_visitor", fields=["room", "visitor"]),
        )

    def __str__(self) -> str:
        return f"{self.person_id or self.visitor} waits for {self.room_id}"
