"""Publishing from Django: a message goes out exactly when the transaction that makes it true commits."""

from collections.abc import Mapping
from functools import partial

from django.db import connection, transaction

from salon.bus import notification
from salon.bus.interface import encoded
from salon.config.environment import environment


def publish(subject: str, message: Mapping[str, object]) -> None:
    body = encoded(message)
    if nats_url := environment().nats_url:
        from salon.bus.background import background_publisher  # noqa: PLC0415  (nats-py is loaded only where it is used)

        transaction.on_commit(partial(background_publisher(nats_url).publish, subject, body))
    else:
        _notify(subject, body)


def _notify(subject: str, body: bytes) -> None:
    """pg_notify is transactional: PostgreSQL itself delivers it at commit, and drops a second identical one."""
    payload = notification.inline_payload(subject, body)
    if payload is not None:
        with connection.cursor() as cursor:
            cursor.execute(notification.NOTIFY, [payload])
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(notification.TABLE_EXISTS)
        if not cursor.fetchone()[0]:
            cursor.execute(notification.CREATE_TABLE)
        cursor.execute(notification.TRIM)
        cursor.execute(notification.INSERT, [body.decode()])
        cursor.execute(notification.NOTIFY, [notification.row_payload(subject, cursor.fetchone()[0])])
