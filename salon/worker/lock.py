"""Which of several workers is the keeper: the one that holds a PostgreSQL advisory lock, for as long as its connection lives."""

import contextlib
from typing import Any

import psycopg

# Any number that nothing else of ours uses as an advisory lock.
_LOCK = 0x5A10_4B33


class KeeperLock:
    """One thread's. A connection of its own, outside any pool: the lock must end exactly when this process does."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._connection: psycopg.Connection[Any] | None = None
        self._held = False

    def hold(self) -> bool:
        """Whether this is the keeper now. Asked again at every round, because a broken connection has lost the lock."""
        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._database_url, autocommit=True, connect_timeout=5)
                self._held = False
            if self._held:
                self._connection.execute("select 1")
            else:
                row = self._connection.execute("select pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
                self._held = bool(row and row[0])
        except psycopg.OperationalError:
            self.release()
        return self._held

    def release(self) -> None:
        """Let the next worker keep, at once: the server alone would notice the closed connection a moment later."""
        connection, held = self._connection, self._held
        self._connection, self._held = None, False
        if connection is None:
            return
        with contextlib.suppress(psycopg.OperationalError):
            if held:
                connection.execute("select pg_advisory_unlock(%s)", [_LOCK])
        connection.close()
