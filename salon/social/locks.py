"""One after the other: changes to how the same two people stand to each other."""

from salon.accounts.models import Person
from salon.common.locks import lock_name


def lock_pair(one: Person, other: Person) -> None:
    """Hold the pair until the transaction ends, so that nobody follows in the instant in which they are blocked.

    A lock on the names of two, not on rows: everybody who follows a well-known person at once would wait for that person's row.
    """
    first, second = sorted((one.id, other.id))
    lock_name(f"relation {first} {second}")
