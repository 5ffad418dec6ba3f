import time

import pytest

from salon.common.ids import is_id
from salon.common.signing import read_ticket
from salon.config.environment import environment
from tests.accounts.browser import Browser, refusal

pytestmark = pytest.mark.django_db


def ticket_of(browser: Browser):
    answer = browser.post("/api/v1/realtime/ticket")
    assert (answer.status_code, answer.json()["expires_in"]) == (200, 60), answer.content
    return read_ticket(answer.json()["ticket"], environment().secret_key, now=time.time())


def test_persons_ticket(alice):
    ticket = ticket_of(Browser(alice))
    assert (ticket["person"], ticket["visitor"], ticket["language"]) == (alice.id, None, "en")
    assert 55 < ticket["expires"] - time.time() <= 60
    assert is_id(ticket["id"])


def test_each_ticket_is_another(alice):
    browser = Browser(alice)
    assert ticket_of(browser)["id"] != ticket_of(browser)["id"]


def test_visitors_ticket_names_the_same_visitor_each_time(browser):
    first, second = ticket_of(browser), ticket_of(browser)
    assert (first["person"], is_id(first["visitor"] or "")) == (None, True)
    assert first["visitor"] == second["visitor"]


def test_visitors_get_none_where_they_may_not_listen(browser, alice, configure):
    configure(SALON_ANONYMOUS_LISTENING="0")
    assert refusal(browser.post("/api/v1/realtime/ticket")) == (401, "sign_in_required", None)
    assert ticket_of(Browser(alice))["person"] == alice.id
