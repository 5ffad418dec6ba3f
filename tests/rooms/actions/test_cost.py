"""What a command reads does not grow with the audience: counted by PostgreSQL itself, in a room of thousands with hundreds of hands."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from salon.accounts.models import Person
from salon.common.ids import new_id
from salon.rooms.actions import hands, invitations, mutes
from salon.rooms.actions.attendance import cut_off, enter_room, leave, lose_connection
from salon.rooms.actions.edit_room import edit_room
from salon.rooms.models import MediaSession, Place, Room
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db

LISTENERS, HANDS = 3_000, 300
# Rooms that ended keep their places: PostgreSQL would rightly read a table that is one room from end to end.
OTHER_ROOMS = 4
ROWS = 5 * HANDS
"""Some for each who waits, and none for who merely listens."""
QUERIES = 20


@pytest.fixture
def unbloated(db):
    """What earlier tests rolled back still fills pages, and PostgreSQL would plan by them."""
    with connection.cursor() as cursor:
        cursor.execute("truncate rooms_place, rooms_mediasession")


@pytest.fixture
def crowd(room, host):
    now = timezone.now()
    people = Person.objects.bulk_create([Person(handle=f"guest{n}", name="Guest") for n in range(LISTENERS)])
    waiting = [now if n < HANDS else None for n in range(LISTENERS)]
    Place.objects.bulk_create(
        [Place(room=room, person=who, csrc=n + 1, entered_at=now, hand_raised_at=waiting[n]) for n, who in enumerate(people)]
    )
    for _ in range(OTHER_ROOMS):
        other = Room.objects.create(host=host, title="Last week's", language="fr")
        Place.objects.bulk_create([Place(room=other, person=who, csrc=n + 1, entered_at=now, left_at=now) for n, who in enumerate(people)])
    MediaSession.objects.bulk_create(
        [MediaSession(id=new_id(), room=room, person=who, direction="listen", opened_at=now) for who in people]
    )
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    return people


def rows_read() -> int:
    """Of the rooms' tables, in this transaction, whether by index or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables where relname ~ '^rooms_'"
        )
        return int(cursor.fetchone()[0])


def cost_of(act: Callable[[], object]) -> tuple[int, int]:
    """(rows, queries)"""
    before = rows_read()
    with CaptureQueriesContext(connection) as captured:
        act()
    return rows_read() - before, len(captured)


def test_hand_takes_nine_queries_up_and_nine_down(room, listener, django_assert_num_queries):
    """The door, the room's lock, the stage; the place, the record, the events, their news; and the transaction's two ends."""
    for change_hand in (hands.raise_hand, hands.lower_hand):
        with django_assert_num_queries(9):
            change_hand(caller(listener), room.id)


def test_nothing_that_is_done_in_a_crowded_room_costs_by_the_listener(unbloated, room, cast, crowd, stranger):
    host, _, speaker, listener = cast
    first_in_the_queue = min(crowd[:HANDS], key=lambda person: person.id)
    costs = {
        name: cost_of(act)
        for name, act in {
            "raise_hand": lambda: hands.raise_hand(caller(listener), room.id),
            "lower_hand": lambda: hands.lower_hand(caller(first_in_the_queue), room.id),
            "invite_next": lambda: invitations.invite_next(caller(host), room.id, 1),
            "mute": lambda: mutes.mute(caller(speaker), room.id),
            "edit_room": lambda: edit_room(caller(host), room.id, {"title": "Another"}),
            "enter": lambda: enter_room(room, stranger),
            "leave": lambda: leave(room, stranger),
            "lose_connection": lambda: lose_connection(room, crowd[-1]),
            "log out": lambda: cut_off(room, crowd[-2]),
        }.items()
    }
    assert {name: cost for name, cost in costs.items() if cost[0] > ROWS or cost[1] > QUERIES} == {}
