"""What the supervisor holds for media, so that it outlives the process: its UDP port, and the memory with the session book.

While media is away, datagrams wait in the socket's buffer and nobody is told that the port is closed.
"""

import fcntl
import os
import socket
from collections.abc import Sequence

from salon.cli.failures import Failure
from salon.config.environment import Environment
from salon.config.inherited import FIRST_DESCRIPTOR, MEDIA_UDP, SESSION_BOOK
from salon.relay.addresses import bind_address
from salon.relay.book import new_memory

# Out of the way of the numbers at which a child finds them.
_FIRST_HELD = 32

Held = Sequence[tuple[str, int]]
"""(name, descriptor)."""


def hold_for_media(settings: Environment) -> Held:
    """Raises Failure if the port cannot be bound."""
    held = [(MEDIA_UDP, out_of_the_way(_bound_port(settings))), (SESSION_BOOK, out_of_the_way(new_memory()))]
    _occupy(range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + len(held)))
    return held


def _bound_port(settings: Environment) -> int:
    host = bind_address(settings.media_addresses)
    port = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        port.bind((host, settings.media_port))
    except OSError as error:
        port.close()
        raise Failure(f"UDP port {settings.media_port} cannot be used: {error.strerror}. Choose another with SALON_MEDIA_PORT.") from error
    return port.detach()


def out_of_the_way(descriptor: int) -> int:
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_HELD)
    os.close(descriptor)
    return moved


def _occupy(numbers: range) -> None:
    """Let none of these be free: between fork and exec subprocess has a pipe of its own, which must not be written over."""
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    for number in numbers:
        try:
            os.fstat(number)
        except OSError:
            os.dup2(nothing, number, inheritable=False)
    if nothing not in numbers:
        os.close(nothing)
