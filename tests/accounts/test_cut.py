"""Whoever leaves or is put out is cut everywhere: the news goes to the gateways by the bus and to the apps above by the signal."""

import pytest

from salon.accounts.actions import cut as cut_module
from salon.accounts.actions.cut import deactivate
from salon.accounts.actions.tokens import issue_token, revoke_token
from salon.accounts.signals import person_cut
from salon.common.errors import NotFound
from tests.accounts.browser import API, Browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(monkeypatch):
    messages = []
    monkeypatch.setattr(cut_module, "publish_on_commit", lambda subject, message: messages.append((subject, message)))
    return messages


@pytest.fixture
def signalled():
    people = []

    def remember(person, **kwargs):
        people.append(person)

    person_cut.connect(remember)
    yield people
    person_cut.disconnect(remember)


def test_logging_out_cuts(alice, published, signalled):
    Browser(alice).ask("DELETE", f"{API}/auth/session")
    assert (published, signalled) == ([(f"cut.{alice.id}", {})], [alice.id])


def test_deactivating_cuts_and_ends_the_session(alice, published, signalled):
    browser = Browser(alice)
    deactivate(alice)
    assert (published, signalled) == ([(f"cut.{alice.id}", {})], [alice.id])
    assert browser.handle() is None


def test_revoking_a_token_cuts(alice, published, signalled):
    token, _ = issue_token(alice, "bot")
    revoke_token(alice, token.id)
    assert (published, signalled) == ([(f"cut.{alice.id}", {})], [alice.id])


def test_revoking_anothers_token_cuts_nobody(alice, bob, published, signalled):
    token, _ = issue_token(alice, "bot")
    with pytest.raises(NotFound):
        revoke_token(bob, token.id)
    assert (published, signalled) == ([], [])


def test_logging_out_as_a_visitor_cuts_nobody(browser, published, signalled):
    browser.ask("DELETE", f"{API}/auth/session")
    assert (published, signalled) == ([], [])
