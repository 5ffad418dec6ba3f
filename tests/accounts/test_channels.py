"""Which channel a message takes, and what happens when nobody takes it."""

from importlib.metadata import EntryPoint

import pytest
from django.core import mail
from django.test import override_settings

from salon.accounts.channels import registry
from salon.accounts.channels.smtp import SmtpChannel
from salon.accounts.errors import MessageUndelivered
from salon.config.environment import ConfigurationError
from salon.config.smtp import Smtp, parse_smtp_url
from tests.accounts.browser import refusal
from tests.accounts.conftest import PRODUCTION


class SomeSms:
    """As a provider's package would bring it."""

    def send(self, recipient: str, subject: str, body: str) -> None: ...


def test_production_sends_by_smtp(configure):
    configure(**PRODUCTION)
    assert isinstance(registry.email_channel(), SmtpChannel)


@override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
def test_smtp_channel_hands_over_plain_text():
    SmtpChannel().send("zoe@example.org", "Subject", "Body\n")
    (message,) = mail.outbox
    assert (message.to, message.subject, message.body, message.from_email) == (
        ["zoe@example.org"],
        "Subject",
        "Body\n",
        "Salon <salon@localhost>",
    )


@pytest.mark.django_db
@override_settings(EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=1)
def test_unreachable_server_is_a_refusal_that_asks_to_try_again(browser, configure):
    configure(**PRODUCTION)
    with pytest.raises(MessageUndelivered):
        SmtpChannel().send("zoe@example.org", "Subject", "Body")
    configure(SALON_SIGN_UP="open")
    answer = browser.sign_up()
    assert refusal(answer) == (503, "message_undelivered", None)
    assert answer["Retry-After"] == "60"


def test_sms_provider_registers_as_an_entry_point(configure, monkeypatch):
    configure(**PRODUCTION)
    assert not registry.has_sms()
    with pytest.raises(LookupError):
        registry.sms_channel()
    entry = EntryPoint("sms", "tests.accounts.test_channels:SomeSms", "salon.channels")
    monkeypatch.setattr(registry, "entry_points", lambda group, name: [entry] if (group, name) == ("salon.channels", "sms") else [])
    assert registry.has_sms()
    assert type(registry.sms_channel()).__qualname__ == "SomeSms"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", Smtp("mail.example.org", 25, "", "", False, False)),
        ("smtp://zoe:p%40ss@mail.example.org", Smtp("mail.example.org", 587, "zoe", "p@ss", False, True)),
        ("smtp://zoe:pass@mail.example.org:2525", Smtp("mail.example.org", 2525, "zoe", "pass", False, True)),
        ("smtps://zoe:pass@mail.example.org", Smtp("mail.example.org", 465, "zoe", "pass", True, False)),
        ("smtp://[::1]:1025", Smtp("::1", 1025, "", "", False, False)),
    ],
)
def test_smtp_url(url, expected):
    assert parse_smtp_url(url) == expected


@pytest.mark.parametrize("url", ["mail.example.org", "http://mail.example.org", "smtp://", "smtp://host:port", "smtp://host:99999"])
def test_senseless_smtp_url_is_refused(url):
    with pytest.raises(ConfigurationError, match="SALON_SMTP_URL"):
        parse_smtp_url(url)
