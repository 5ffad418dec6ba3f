"""Locks on names that are no row yet."""

from django.db import connection


def lock_name(name: str) -> None:
    """Wait until nobody else holds `name`, and hold it until the transaction ends (PostgreSQL advisory lock). Needs an open transaction.

    Names are hashed to 32 bits: two that collide only wait for each other in vain.
    """
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext(%s))", [name])
