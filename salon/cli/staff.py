"""`salon staff HANDLE`: the first member of staff cannot be made on the pages that only staff may use."""

import sys

import django

from salon.cli.failures import Failure


def admit(handle: str) -> int:
    """Make this person staff; once more changes nothing. Raises Failure where nobody has the handle."""
    django.setup()
    from django.db import OperationalError, connection  # noqa: PLC0415  (needs Django to be set up)

    from salon.accounts.actions.staff import make_staff  # noqa: PLC0415
    from salon.accounts.models import Person  # noqa: PLC0415

    try:
        person = Person.objects.filter(handle=handle).first()
        if person is None:
            raise Failure(f"Nobody has the handle {handle!r}. Sign up in the browser first, then say this again.")
        make_staff(person)
        sys.stdout.write(f"@{handle} is staff now. The operator's pages are under /staff/.\n")
    except OperationalError:
        raise Failure("The database does not answer. Start Salon first: salon serve") from None
    finally:
        connection.close_pool()  # type: ignore[attr-defined]  # its threads would hold the exit up
    return 0
