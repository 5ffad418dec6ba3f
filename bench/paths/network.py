"""A listener's home behind a router, in two network namespaces, and what goes wrong there. Needs root, iproute2 and nftables."""

import os
import re
import shutil
import subprocess
from types import TracebackType
from typing import Self

from bench.programs import BenchFailed

_TOOLS = ("ip", "nft")
# Benchmark addresses (RFC 2544), of this process alone: a bench that was killed leaves its network behind.
_BLOCK = 16 * (os.getpid() % 4096)
_FILTER = """
table ip path {
    set dead { type inet_proto . inet_service; }
    chain forward {
        type filter hook forward priority 0;
        meta l4proto . th sport @dead drop
        meta l4proto . th dport @dead drop
    }
    chain wall { type filter hook forward priority 1; }
}
"""
WITHOUT_UDP = ("meta l4proto udp counter drop",)
ONLY_PORT_443 = ('iifname "home" tcp dport != 443 counter drop', 'iifname "home" meta l4proto != tcp counter drop')


class HomeNetwork:
    """Use as a context manager. Inside `home` this machine is reached at `outside`; what happens on the way is the router's doing."""

    def __init__(self) -> None:
        self.home, self.router = (f"salon-{kind}-{os.getpid()}" for kind in ("home", "router"))
        self._cable = f"salonp{os.getpid()}"
        # As many as the subnet has: none comes back soon.
        self.outside, *self._routers = (_address(18, host) for host in range(1, 7))
        self._gateway, *self._homes = (_address(19, host) for host in range(1, 7))

    def __enter__(self) -> Self:
        if os.geteuid() != 0 or not all(shutil.which(tool) for tool in _TOOLS):
            raise BenchFailed("network namespaces need root, iproute2 and nftables")
        for name in (self.home, self.router):
            _run("ip", "netns", "add", name)
        try:
            self._connect()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.remove()

    def remove(self) -> None:
        for name in (self.home, self.router):
            subprocess.run(["ip", "netns", "del", name], check=False)  # the cables go with them

    def change_address(self) -> None:
        """The home's machine has another address from now on, and not the old one: as from Wi-Fi to mobile."""
        old, new, *later = self._homes
        self._in(self.home, "ip", "addr", "del", f"{old}/29", "dev", "router")
        self._in(self.home, "ip", "addr", "add", f"{new}/29", "dev", "router")
        self._in(self.home, "ip", "route", "replace", "default", "via", self._gateway)
        self._homes = [new, *later, old]

    def translate(self) -> None:
        """From now on the router gives its own address to what goes out, as most do."""
        self._nft("table ip translation { chain out { type nat hook postrouting priority 100; oifname outside masquerade; }; }")

    def change_routers_address(self) -> None:
        """The provider gives the router another address. Nothing tells the home; the kernel forgets the translations with the address."""
        old, new, *later = self._routers
        self._in(self.router, "ip", "addr", "del", f"{old}/29", "dev", "outside")
        self._in(self.router, "ip", "addr", "add", f"{new}/29", "dev", "outside")
        self._routers = [new, *later, old]

    def forsake_udp(self) -> None:
        """What the home's UDP sockets of this moment send, or are sent, is dropped without a word from now on. New ones work."""
        listed = subprocess.run(["ip", "netns", "exec", self.home, "ss", "-Huna"], capture_output=True, text=True, check=True).stdout
        ports = {found[1] for line in listed.splitlines() if (found := re.search(r":(\d+)$", line.split()[3]))}
        if not ports:
            raise BenchFailed("the home has no UDP socket that could be cut off")
        self._nft(f"add element ip path dead {{ {', '.join(f'udp . {port}' for port in sorted(ports))} }}")

    def wall(self, *rules: str) -> None:
        """From now on the router's firewall has these rules; none: it lets everything pass."""
        self._nft("\n".join(["flush chain ip path wall", *(f"add rule ip path wall {rule}" for rule in rules)]))

    def dropped(self) -> int:
        """Packets that the wall has not let through."""
        listed = self._in(self.router, "nft", "list", "chain", "ip", "path", "wall")
        return sum(int(count) for count in re.findall(r"counter packets (\d+)", listed))

    def _connect(self) -> None:
        _run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "outside", "netns", self.router)
        _run("ip", "addr", "add", f"{self.outside}/29", "dev", self._cable)
        _run("ip", "link", "set", self._cable, "up")
        self._in(self.router, "ip", "link", "add", "home", "type", "veth", "peer", "name", "router", "netns", self.home)
        for name, device, address in (
            (self.router, "outside", self._routers[0]),
            (self.router, "home", self._gateway),
            (self.home, "router", self._homes[0]),
        ):
            self._in(name, "ip", "addr", "add", f"{address}/29", "dev", device)
            self._in(name, "ip", "link", "set", device, "up")
            self._in(name, "ip", "link", "set", "lo", "up")
        self._in(self.home, "ip", "route", "add", "default", "via", self._gateway)
        self._in(self.router, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        _run("ip", "route", "add", f"{_address(19, 0)}/29", "via", self._routers[0])
        self._nft(_FILTER)

    def _nft(self, script: str) -> None:
        self._in(self.router, "nft", "-f", "-", sent=script)

    @staticmethod
    def _in(name: str, *command: str, sent: str | None = None) -> str:
        return _run("ip", "netns", "exec", name, *command, sent=sent)


def _address(second: int, host: int) -> str:
    """198.18.0.0/15 has two halves: one for between this machine and the router, one for the home."""
    number = _BLOCK + host
    return f"198.{second}.{number >> 8}.{number & 255}"


def _run(*command: str, sent: str | None = None) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, input=sent, check=False)
    if ran.returncode != 0:
        raise BenchFailed(f"{' '.join(command)}: {ran.stderr.strip()}")
    return ran.stdout
