"""The protocol's state machine by itself: no socket, and time is what the test says it is."""

import json
from typing import Any

import pytest

from salon.gateway import limits
from salon.gateway.close_codes import CloseCode
from salon.gateway.connection import Connection, MessageInvalid, Refused
from salon.gateway.messages.hello import Hello
from salon.gateway.messages.ping import Ping
from salon.gateway.messages.watch import Watch


def said(**message: Any) -> str:
    return json.dumps(message)


def greeted_connection() -> Connection:
    connection = Connection(now=0)
    connection.receive_text(said(type="hello", id=1, ticket="t"), now=0)
    connection.greeted(now=0)
    return connection


def test_messages_come_out_parsed() -> None:
    connection = Connection(now=0)

    assert connection.receive_text(said(type="hello", id=1, ticket="t"), now=0) == Hello(1, "t")
    connection.greeted(now=0)
    assert connection.receive_text(said(type="ping", id=1.5), now=1) == Ping(1.5)
    assert connection.receive_text(said(type="watch", id=2, stream="hallway", after=3), now=1) == Watch(2, "hallway", 3)


def test_hello_may_take_its_time_but_no_longer() -> None:
    connection = Connection(now=100)

    connection.check_deadline(now=100 + limits.HELLO_SECS)

    with pytest.raises(Refused) as refused:
        connection.check_deadline(now=100 + limits.HELLO_SECS + 0.1)
    assert refused.value.code is CloseCode.SILENT


def test_every_message_puts_the_deadline_off() -> None:
    connection = greeted_connection()
    connection.receive_text(said(type="ping", id=1), now=30)

    connection.check_deadline(now=30 + limits.SILENCE_SECS)

    with pytest.raises(Refused) as refused:
        connection.check_deadline(now=30 + limits.SILENCE_SECS + 0.1)
    assert refused.value.code is CloseCode.SILENT


def test_hello_that_was_not_accepted_does_not_put_it_off() -> None:
    connection = Connection(now=0)
    connection.receive_text(said(type="hello", id=1, ticket="t"), now=9)

    with pytest.raises(Refused):
        connection.check_deadline(now=limits.HELLO_SECS + 0.1)


def test_sustained_rate_is_taken_and_one_more_is_not() -> None:
    connection = greeted_connection()
    for _ in range(int(limits.MESSAGES_BURST) - 1):  # the hello was the first
        connection.receive_text(said(type="ping", id=1), now=0)

    with pytest.raises(Refused) as refused:
        connection.receive_text(said(type="ping", id=1), now=0)
    assert refused.value.code is CloseCode.TOO_MANY_MESSAGES
    for number in range(1, 1_000):
        connection.receive_text(said(type="ping", id=1), now=number / (limits.MESSAGES_PER_SEC - 1))


@pytest.mark.parametrize(
    ("per_sec", "cut_after_secs", "in_the_first_second"),
    [(100, 1.98, 100), (200, 0.66, 131), (5_000, 0.02, 99)],
    ids=["twice the rate", "four times", "a flood"],
)
def test_flood_is_cut_within_two_seconds(per_sec: int, cut_after_secs: float, in_the_first_second: int) -> None:
    connection, taken = greeted_connection(), 0
    with pytest.raises(Refused) as refused:
        for number in range(10 * per_sec):
            now = number / per_sec
            connection.receive_text(said(type="ping", id=1), now=now)
            taken += now < 1

    assert refused.value.code is CloseCode.TOO_MANY_MESSAGES
    assert (taken, now) == (in_the_first_second, pytest.approx(cut_after_secs, abs=0.05))


def test_frame_of_exactly_the_limit_is_taken() -> None:
    connection = greeted_connection()
    frame = said(type="ping", id=1)

    assert connection.receive_text(frame + " " * (limits.FRAME_BYTES - len(frame)), now=0) == Ping(1)
    with pytest.raises(Refused) as refused:
        connection.receive_text(frame + " " * (limits.FRAME_BYTES - len(frame) + 1), now=0)
    assert refused.value.code is CloseCode.TOO_LARGE


@pytest.mark.parametrize(
    "id_",
    [True, None, "1", [1], float("inf"), float("nan"), 10**400, -(10**400), 2**63],
    ids=["bool", "null", "text", "array", "inf", "nan", "huge", "huge below zero", "2**63"],
)
def test_id_is_a_number(id_: object) -> None:
    with pytest.raises(Refused) as refused:
        greeted_connection().receive_text(json.dumps({"type": "ping", "id": id_}), now=0)
    assert refused.value.code is CloseCode.BAD_FRAME


def test_field_at_fault_names_the_message_it_answers() -> None:
    with pytest.raises(MessageInvalid) as invalid:
        greeted_connection().receive_text(said(type="watch", id=7, stream="hallway", after="3"), now=0)
    assert (invalid.value.reply_to, invalid.value.field) == (7, "after")


def test_hello_with_a_field_at_fault_ends_it() -> None:
    with pytest.raises(Refused) as refused:
        Connection(now=0).receive_text(said(type="hello", id=1), now=0)
    assert refused.value.code is CloseCode.BAD_FRAME


def test_half_surrogates_end_the_connection_and_whole_ones_are_characters() -> None:
    connection = greeted_connection()
    assert connection.receive_text('{"type": "watch", "id": 1, "stream": "\\ud83d\\ude00"}', now=1) == Watch(1, "\U0001f600", None)
    with pytest.raises(Refused) as refused:
        connection.receive_text('{"type": "watch", "id": 1, "stream": "\\ud83d"}', now=1)
    assert refused.value.code == CloseCode.BAD_FRAME
