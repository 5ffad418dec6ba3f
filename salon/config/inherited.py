"""What a supervisor gives a process beside its settings: descriptors that outlive it, and an address for notices.

systemd's protocols (sd_listen_fds(3), sd_notify(3)), so that `salon serve` and systemd itself can stand in for each other. Like
`environment.py` this is a place where the environment is read; these variables are taken out of it, or children would believe them.
"""

import array
import contextlib
import os
import socket
from collections.abc import MutableMapping

FIRST_DESCRIPTOR = 3
"""SD_LISTEN_FDS_START."""
MEDIA_UDP = "media-udp"
"""The name of each of media's UDP sockets, one for each of its threads."""
MEDIA_TCP = "media-tcp"
"""The name of the TCP socket of the same port, listening."""
SESSION_BOOK = "session-book"
"""The name of the memory in which media keeps its sessions."""
STANDING_BY = "X_SALON=standing_by"
"""The notice of a process that could begin at once, and waits for the one before it to end."""


def take_descriptors(env: MutableMapping[str, str]) -> dict[str, list[int]]:
    """By name (systemd gives all sockets of a unit one name), close-on-exec from now on; none that were meant for another process."""
    process, count, names = (env.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"))
    if process != str(os.getpid()) or not count.isdigit():
        return {}
    descriptors: dict[str, list[int]] = {}
    for descriptor, name in zip(range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(count)), names.split(":"), strict=False):
        os.set_inheritable(descriptor, False)
        descriptors.setdefault(name, []).append(descriptor)
    return descriptors


class Notices:
    """Tells the supervisor, if there is one that listens. Never fails: whom nobody hears goes on."""

    def __init__(self, address: str | None) -> None:
        self._address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)

    @classmethod
    def take(cls, env: MutableMapping[str, str]) -> "Notices":
        address = env.pop("NOTIFY_SOCKET", None)
        return cls("\0" + address[1:] if address and address.startswith("@") else address)

    def tell(self, notice: str) -> None:
        """notice: such as READY=1."""
        self._send(notice, [])

    def keep(self, descriptor: int, name: str) -> None:
        """Ask the supervisor to hold the descriptor and give it to the next process."""
        self._send(f"FDSTORE=1\nFDNAME={name}", [descriptor])

    def _send(self, notice: str, descriptors: list[int]) -> None:
        if self._address is None:
            return
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        with contextlib.suppress(OSError):
            self._socket.sendmsg([notice.encode()], rights, 0, self._address)
