from typing import Protocol


class Channel(Protocol):
    """Takes one plain text message for one recipient."""

    def send(self, recipient: str, subject: str, body: str) -> None:
        """recipient: an e-mail address, or a phone number in E.164. subject: one line; empty for SMS.

        Returns once somebody else is responsible for delivery. Raises MessageUndelivered when nobody took it.
        """
