import logging
from smtplib import SMTPException

from django.core.mail import EmailMessage

from salon.accounts.errors import MessageUndelivered

logger = logging.getLogger(__name__)


class SmtpChannel:
    """Hands the message to the operator's SMTP server while the person waits: a code that is late is a code asked for again."""

    def send(self, recipient: str, subject: str, body: str) -> None:
        try:
            EmailMessage(subject, body, to=[recipient]).send()
        except (SMTPException, OSError) as error:
            # The address stays out of the log.
            logger.warning("The SMTP server did not take a message.", extra={"action": "mail_undelivered", "reason": type(error).__name__})
            raise MessageUndelivered from error
