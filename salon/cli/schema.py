"""Whether the database's schema is that of this code, found out without Django; and `python -m salon.cli.schema`, which makes it so.

A start that changes nothing shall not spend a second on loading Django only to learn so. So whoever applies migrations leaves a
stamp in the data folder, of the migrations in the code and of those the database has had; while both are the same, nothing is to be done.
"""

import hashlib
import os
import sys
from importlib.metadata import version

import psycopg

from salon.common.paths import PACKAGE
from salon.config.environment import Environment, environment

_PACKAGES_WITH_MIGRATIONS = ("django", "django-allauth", "procrastinate")
_LOCK = 0x5A10DB
_STAMP = "schema"


class DatabaseSilent(Exception):
    """It does not answer; args[0] is what the driver says."""


def is_up_to_date(settings: Environment) -> bool:
    """False also where that cannot be known without looking closer. Raises DatabaseSilent."""
    try:
        known = (settings.data_dir / _STAMP).read_text()
    except FileNotFoundError:
        known = ""
    return _stamp(settings) == known


def bring_up_to_date(settings: Environment) -> None:
    """Apply what is missing. Two that start at once do it one after the other, and the second finds nothing to do."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.config.settings")
    import django  # noqa: PLC0415  (see above)

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [_LOCK])
        try:
            call_command("migrate", verbosity=0, interactive=False)
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [_LOCK])
    connection.close()
    (settings.data_dir / _STAMP).write_text(_stamp(settings))


def _stamp(settings: Environment) -> str:
    return f"{_digest_of_code()} {_applied(settings.database_url)}\n"


def _digest_of_code() -> str:
    digest = hashlib.sha256()
    for name in _PACKAGES_WITH_MIGRATIONS:
        digest.update(f"{name} {version(name)}\n".encode())
    for file in sorted(PACKAGE.glob("*/migrations/*.py")):
        digest.update(str(file.relative_to(PACKAGE)).encode() + file.read_bytes())
    return digest.hexdigest()


def _applied(database_url: str) -> str:
    """A line that changes with every migration applied, and with the database."""
    try:
        with psycopg.connect(database_url, connect_timeout=5) as connection:
            exists = connection.execute("select to_regclass('django_migrations')").fetchone()
            if exists == (None,):
                return "none"
            row = connection.execute("select count(*), max(id), max(applied) from django_migrations").fetchone()
    except psycopg.OperationalError as error:
        raise DatabaseSilent(str(error).strip()) from error
    return " ".join(map(str, row or ()))


if __name__ == "__main__":
    bring_up_to_date(environment())
    sys.exit(0)
