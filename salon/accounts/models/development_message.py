from django.db import models


class DevelopmentMessage(models.Model):
    """What a code channel would have sent; kept only on development installations."""

    channel = models.CharField(max_length=10)
    recipient = models.CharField(max_length=254)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    sent_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-sent_at", "-id")

    def __str__(self) -> str:
        return f"{self.channel}, {self.sent_at:%H:%M:%S}"
