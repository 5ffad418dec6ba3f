"""What the supervisor holds for media, so that it outlives the process: its port, and the memory with the session book.

While media is away, datagrams and connections wait in the sockets' buffers and nobody is told that the port is closed. There is a
socket for each of media's threads, since only those that are held keep what came last, and since the kernel lets nobody but their own
user join them later.
"""

import fcntl
import os
import socket
from collections.abc import Sequence

from salon.cli.failures import Failure
from salon.config.environment import Environment
from salon.config.inherited import FIRST_DESCRIPTOR, MEDIA_TCP, MEDIA_UDP, SESSION_BOOK
from salon.relay.addresses import bind_address
from salon.relay.book import new_memory

# Out of the way of the numbers at which a child finds them, which are one for each of 64 threads and a few.
_FIRST_HELD = 128
# Connections that come at once while media is away.
_BACKLOG = 512

Held = Sequence[tuple[str, int]]
"""(name, descriptor)."""


def hold_for_media(settings: Environment) -> Held:
    """Raises Failure if the port cannot be bound."""
    sockets = [(MEDIA_UDP, udp) for udp in _bound_by_udp(settings)] + [(MEDIA_TCP, _bound_by_tcp(settings)), (SESSION_BOOK, new_memory())]
    held = [(name, out_of_the_way(descriptor)) for name, descriptor in sockets]
    _occupy(range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + len(held)))
    return held


def _bound_by_udp(settings: Environment) -> list[int]:
    """The first is bound without sharing, so that two programs cannot have the port by mistake."""
    first = _bound_port(settings, socket.SOCK_DGRAM)
    bound = [first]
    if settings.media_threads > 1:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound += [_bound_port(settings, socket.SOCK_DGRAM, shared=True) for _ in range(settings.media_threads - 1)]
    return [port.detach() for port in bound]


def _bound_by_tcp(settings: Environment) -> int:
    port = _bound_port(settings, socket.SOCK_STREAM)
    port.listen(_BACKLOG)
    return port.detach()


def _bound_port(settings: Environment, kind: socket.SocketKind, *, shared: bool = False) -> socket.socket:
    host = bind_address(settings.media_addresses)
    port = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    if shared:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if kind == socket.SOCK_STREAM:
        # Connections of the last run may still be on their way out (TIME_WAIT).
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        port.bind((host, settings.media_port))
    except OSError as error:
        port.close()
        transport = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        refused = f"{transport} port {settings.media_port} cannot be used: {error.strerror}. Choose another with SALON_MEDIA_PORT."
        raise Failure(refused) from error
    return port


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
