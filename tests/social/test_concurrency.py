"""A follow and a block of the same two people at once, on two real connections."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection

from salon.accounts.models import Person
from salon.common.errors import SalonError
from salon.social.actions import blocks
from salon.social.actions.blocks import block
from salon.social.actions.follows import follow
from salon.social.models import Block, Follow

pytestmark = pytest.mark.django_db(transaction=True)
SECS = 20


def wait_for_a_lock_or(act: Future) -> None:
    """Until somebody waits for an advisory lock, or `act` is over without having waited."""
    until = time.monotonic() + SECS
    while not act.done() and time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("select 1 from pg_locks where locktype = 'advisory' and not granted")
            if cursor.fetchone():
                return


def test_a_follow_in_the_instant_of_a_block_waits_and_is_refused(alice, bob, monkeypatch):
    blocking, go_on = threading.Event(), threading.Event()
    announce = blocks.announce_block_on_commit

    def linger(blocker: Person, blocked: Person) -> None:
        """The block is written and not committed."""
        blocking.set()
        assert go_on.wait(SECS)
        announce(blocker, blocked)

    monkeypatch.setattr(blocks, "announce_block_on_commit", linger)

    def run(act, person, handle) -> str:
        try:
            act(person, handle)
            return "done"
        except SalonError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        blocked = threads.submit(run, block, bob, "alice")
        assert blocking.wait(SECS)
        followed = threads.submit(run, follow, alice, "bob")
        wait_for_a_lock_or(followed)
        go_on.set()
        assert (blocked.result(SECS), followed.result(SECS)) == ("done", "not_found")
    assert Block.objects.count() == 1
    assert not Follow.objects.exists()
