from salon.accounts.models import DevelopmentMessage

_KEPT = 200


class DevelopmentMailbox:
    """Keeps messages for /development/mailbox instead of sending them; the newest 200."""

    def __init__(self, name: str) -> None:
        self.name = name

    def send(self, recipient: str, subject: str, body: str) -> None:
        message = DevelopmentMessage.objects.create(channel=self.name, recipient=recipient, subject=subject, body=body)
        DevelopmentMessage.objects.filter(pk__lte=message.pk - _KEPT).delete()
