"""The texts that go through the channels: templates `account/email/<name>_subject.txt` and `_message.txt`, in the reader's language."""

from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from salon.accounts.channels.registry import email_channel, sms_channel


def send_mail(name: str, recipient: str, values: Mapping[str, object]) -> None:
    """Raises MessageUndelivered."""
    subject = " ".join(render_to_string(f"account/email/{name}_subject.txt", dict(values)).split())
    body = render_to_string(f"account/email/{name}_message.txt", dict(values)).strip() + "\n"
    email_channel().send(recipient, subject, body)


def send_code_sms(phone: str, code: str) -> None:
    """Raises MessageUndelivered."""
    sms_channel().send(phone, "", _("%(code)s is your Salon code.") % {"code": code})
