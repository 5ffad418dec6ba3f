"""Mumble's server from Debian: no WebRTC, but the nearest relative, with encrypted sound over UDP to everybody in a channel."""

import os
import shutil

from bench.peers.server import OtherServer, first_line
from bench.ports import free_ports
from bench.programs import BenchFailed

_BINARY = "/usr/sbin/murmurd"
_USER = "mumble-server"  # Debian's; started as root the server becomes this user by itself


class Mumble(OtherServer):
    name = "mumble"
    protocol = "mumble"
    title = "Mumble"

    def __init__(self) -> None:
        super().__init__()
        self._port = 0

    def command(self) -> list[str]:
        if shutil.which(_BINARY) is None:
            raise BenchFailed("mumble-server is not installed: scripts/install-debian mumble-server")
        self._port = free_ports(1)
        configuration = self.folder / "mumble.ini"
        configuration.write_text(
            f"database={self.folder}/mumble.sqlite\n"
            # Empty: the log goes to standard error.
            "logfile=\n"
            "host=127.0.0.1\n"
            f"port={self._port}\n"
            "users=10000\n"
            # A whole audience from one address is an attack to it otherwise.
            "autobanAttempts=0\n"
            "bonjour=false\n"
        )
        if os.geteuid() == 0:
            shutil.chown(self.folder, user=_USER)
        return [_BINARY, "-fg", "-ini", str(configuration)]

    def port(self) -> int:
        return self._port

    def version(self) -> str:
        return first_line([_BINARY, "-version"], " -- ").rpartition(" -- ")[2]

    def client_options(self) -> dict[str, str]:
        return {"address": f"127.0.0.1:{self._port}"}
