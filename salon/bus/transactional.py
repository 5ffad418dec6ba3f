"""Publishing from Django: messages go out exactly when the transaction that makes them true commits."""

from collections.abc import Mapping, Sequence
from functools import partial

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from salon.bus import notification
from salon.bus.interface import encoded
from salon.common.prepared import prepared_cursor
from salon.config.environment import environment


def publish(subject: str, message: Mapping[str, object]) -> None:
    publish_all([(subject, message)])


def publish_all(messages: Sequence[tuple[str, Mapping[str, object]]]) -> None:
    bodies = [(subject, encoded(message)) for subject, message in messages]
    if nats_url := environment().nats_url:
        from salon.bus.background import background_publisher  # noqa: PLC0415  (nats-py is loaded only where it is used)

        for subject, body in bodies:
            transaction.on_commit(partial(background_publisher(nats_url).publish, subject, body))
    elif bodies:
        # Within a transaction no savepoint: whoever lets a message fail and goes on would have done what nobody hears of.
        with transaction.atomic(savepoint=False):
            _notify(bodies)


def _notify(bodies: Sequence[tuple[str, bytes]]) -> None:
    """pg_notify is transactional: PostgreSQL itself delivers it at commit, in this order, and drops a second identical one.

    In one statement for all: what is said to each of hundreds in a queue must not cost a room's command hundreds of them.
    """
    payloads = [notification.inline_payload(subject, body) for subject, body in bodies]
    if None in payloads:
        payloads = _with_rows(payloads, bodies)
    with prepared_cursor() as cursor:
        cursor.execute(notification.NOTIFY_ALL, [payloads])


def _with_rows(payloads: Sequence[str | None], bodies: Sequence[tuple[str, bytes]]) -> list[str | None]:
    """The payloads, with rows for what is too long for one."""
    with connection.cursor() as cursor:
        cursor.execute(notification.TABLE_EXISTS)
        if not cursor.fetchone()[0]:
            cursor.execute(notification.CREATE_TABLE)
        cursor.execute(notification.TRIM)
        return [payload or _row(cursor, subject, body) for payload, (subject, body) in zip(payloads, bodies, strict=True)]


def _row(cursor: CursorWrapper, subject: str, body: bytes) -> str:
    cursor.execute(notification.INSERT, [body.decode()])
    return notification.row_payload(subject, cursor.fetchone()[0])
