"""The bus between Salon's processes: JSON messages on subjects, by PostgreSQL NOTIFY or NATS.

Subjects are listed in docs/subsystems/processes.md. Delivery is at most once: whoever needs more asks again when a
subscription yields `MessagesLost`. `open_bus` is for asyncio processes and loads no Django; `publish_on_commit` is
for code inside Django's transactions.
"""

from collections.abc import Mapping, Sequence

from salon.bus.interface import Bus, BusUnavailable, Message, MessagesLost, Subscription
from salon.config.environment import Environment

__all__ = ["Bus", "BusUnavailable", "Message", "MessagesLost", "Subscription", "open_bus", "publish_all_on_commit", "publish_on_commit"]


async def open_bus(settings: Environment) -> Bus:
    """The bus this installation is configured for. Returns at once; it connects, and reconnects, in the background."""
    # Imported here so that a process loads only the driver it uses.
    if settings.nats_url:
        from salon.bus.nats import NatsBus  # noqa: PLC0415

        return await NatsBus.open(settings.nats_url)
    from salon.bus.postgres import PostgresBus  # noqa: PLC0415

    return await PostgresBus.open(settings.database_url)


def publish_on_commit(subject: str, message: Mapping[str, object]) -> None:
    """Publish when Django's open transaction commits, never if it rolls back; at once when none is open."""
    from salon.bus.transactional import publish  # noqa: PLC0415  (gateway and media load this package without Django)

    publish(subject, message)


def publish_all_on_commit(messages: Sequence[tuple[str, Mapping[str, object]]]) -> None:
    """`publish_on_commit` for several (subject, message) at once, in this order; with PostgreSQL in one statement."""
    from salon.bus.transactional import publish_all  # noqa: PLC0415

    publish_all(messages)
