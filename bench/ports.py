"""Ports for a Salon that a bench or a test starts."""

import itertools
import os
import socket

_FIRST, _BEYOND = 12_000, 32_000
"""Below what Linux gives out by itself (ip_local_port_range begins at 32768): no connection opened meanwhile takes one."""

_STRIDE = 10

_reserved: list[socket.socket] = []
"""Held until this process ends."""


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody has, by TCP or UDP, and that no other process is given while this one runs.

    Args:
        count: 1 to 10.

    Raises:
        RuntimeError: nothing is left.
    """
    if not 1 <= count <= _STRIDE:
        raise ValueError(f"1 to {_STRIDE} ports are given at once, not {count}")
    every = range(_FIRST, _BEYOND, _STRIDE)
    start = os.getpid() % len(every)
    for first in itertools.chain(every[start:], every[:start]):
        if (reservation := _reserve(first)) is None:
            continue
        if all(_is_free(port, kind) for port in range(first, first + count) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            _reserved.append(reservation)
            return first
        reservation.close()
    raise RuntimeError(f"no free ports between {_FIRST} and {_BEYOND}")


def _reserve(first: int) -> socket.socket | None:
    """A name of Linux's abstract namespace, which is gone with whoever holds it: between two processes that look at once, one gets it."""
    reservation = socket.socket(socket.AF_UNIX)
    try:
        reservation.bind(f"\0salon-ports-{first}")
    except OSError:
        reservation.close()
        return None
    return reservation


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what a connection left behind is no obstacle to a server
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104  (somebody else's wildcard is a conflict too)
        except OSError:
            return False
    return True
