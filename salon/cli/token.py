"""`salon token HANDLE`: a personal access token for scripts and tests, straight from the database."""

import sys

import django

from salon.cli.failures import Failure
from salon.config.environment import environment


def print_token(handle: str, *, create: bool) -> int:
    """Print the secret and nothing else. Raises Failure where the person is missing, or may not be made here."""
    if create and not environment().is_development:
        raise Failure("--create makes people without an invitation or an e-mail: it works on development installations only.")
    django.setup()
    from django.db import OperationalError, connection  # noqa: PLC0415  (needs Django to be set up)

    from salon.accounts.actions.tokens import create_token  # noqa: PLC0415
    from salon.accounts.models import Person  # noqa: PLC0415

    try:
        person = Person.objects.filter(handle=handle).first()
        if person is None and create:
            person = Person.objects.create_user(handle, name=handle.replace("_", " ").title())
        if person is None:
            raise Failure(f"Nobody has the handle {handle!r}. With --create, this command makes the person.")
        sys.stdout.write(create_token(person, "salon token") + "\n")
    except OperationalError:
        raise Failure("The database does not answer. Start Salon first: salon serve") from None
    finally:
        connection.close_pool()  # type: ignore[attr-defined]  # its threads would hold the exit up
    return 0
