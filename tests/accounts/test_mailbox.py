import pytest

from salon.accounts.channels.registry import email_channel
from tests.accounts.browser import refusal
from tests.accounts.conftest import PRODUCTION

pytestmark = pytest.mark.django_db


def test_mailbox_shows_what_was_sent(browser):
    email_channel().send("zoe@example.org", "Hello <b>", "A body\nof two lines")
    (message,) = browser.get("/api/v1/development/mailbox").json()["messages"]
    assert (message["channel"], message["recipient"], message["subject"]) == ("email", "zoe@example.org", "Hello <b>")
    page = browser.get("/development/mailbox")
    assert page.status_code == 200
    assert "Hello &lt;b&gt;" in page.text
    assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_mailbox_can_be_asked_for_one_recipient(browser):
    email_channel().send("zoe@example.org", "One", "")
    email_channel().send("bob@example.org", "Two", "")
    answer = browser.get("/api/v1/development/mailbox?recipient=bob@example.org").json()
    assert [message["subject"] for message in answer["messages"]] == ["Two"]


def test_mailbox_page_names_no_third_party(browser):
    email_channel().send("zoe@example.org", "One", "")
    assert "//" not in browser.get("/development/mailbox").text.replace("</", "")


def test_production_has_no_mailbox(browser, configure):
    configure(**PRODUCTION)
    assert refusal(browser.get("/development/mailbox")) == (404, "not_found", None)
    assert refusal(browser.get("/api/v1/development/mailbox")) == (404, "not_found", None)
