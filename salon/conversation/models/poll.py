from django.conf import settings
from django.db import models
from django.db.models import Q

from salon.common.ids import ID_LENGTH, new_id
from salon.rooms.models import Room

QUESTION_MAX, OPTION_MAX = 200, 80
OPTIONS_MIN, OPTIONS_MAX = 2, 4


class Poll(models.Model):
    """A question with two to four answers to choose from. Secret: here is how many chose what, in PollVoter who chose at all."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="opened_polls")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    question = models.CharField(max_length=QUESTION_MAX)
    options = models.JSONField()
    counts = models.JSONField()
    """One number for each of `options`."""
    seq = models.BigIntegerField()
    """The number of the event that told it: the newest poll is the one that is shown."""
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="poll_number", fields=["room", "seq"]),
            models.UniqueConstraint(name="poll_one_open", fields=["room"], condition=Q(closed_at=None)),
        )

    def __str__(self) -> str:
        return f"{self.id} in {self.room_id}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class PollVoter(models.Model):
    """Somebody has voted in a poll: what they chose is written nowhere."""

    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="voters")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(name="poll_voter_once", fields=["poll", "person"]),)

    def __str__(self) -> str:
        return f"{self.person_id} in {self.poll_id}"
