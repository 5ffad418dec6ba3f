from django.conf import settings
from django.db import models

from salon.common.ids import ID_LENGTH, new_id
from salon.rooms.models import Room

URL_MAX, TITLE_MAX = 500, 100


class Link(models.Model):
    """An address that a moderator pinned for everybody in the room. Nothing of what it leads to is ever fetched."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="pinned_links")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=URL_MAX)
    """As the URL parser writes it (domain/links.py): ASCII only, `http` or `https`."""
    title = models.CharField(max_length=TITLE_MAX)
    seq = models.BigIntegerField()
    """The number of the event that told it: the order of links."""
    pinned_at = models.DateTimeField()
    unpinned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="link_number", fields=["room", "seq"]),)

    def __str__(self) -> str:
        return f"{self.id} in {self.room_id}"
