from django.db import models


class Stream(models.Model):
    """A numbered sequence of events. The row is the counter, and its lock is what keeps numbers without gaps and in order of commit."""

    name = models.CharField(primary_key=True, max_length=64)
    seq = models.BigIntegerField(default=0)
    """Of the newest event; 0 before the first."""

    def __str__(self) -> str:
        return self.name


class StreamEvent(models.Model):
    """One event, kept for a while for clients that come back after a drop."""

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    data = models.JSONField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(name="stream_event_number", fields=["stream", "seq"]),)

    def __str__(self) -> str:
        return f"{self.stream_id} {self.seq} {self.kind}"
