"""`make bench-bypass`: a packet's price by sockets and around the kernel's UDP stack, over the same cable between two network namespaces.

The media process runs here; the audience, every one of whom decrypts what it gets, lives in a namespace of its own. A veth by itself takes
a packet in where it was sent from: the kernel charges the sender with the receiver's IP, UDP, look-up of the socket, and waking of its
reader, which no server on a network pays. So arrivals are handled by the other core, and each way is measured again with arrivals on the
same core, as on loopback: those figures end in "_same_core". Needs root.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

from bench.figures import Figure
from bench.installation import Installation
from bench.media import LONG_PACKETS, Crowd, bring_direct, check_packing
from bench.processes import ProcessGone
from bench.programs import BenchFailed, build, progress
from bench.run import interrupt, show

LISTENERS = 3000
_OURS, _THEIRS = "10.213.0.1", "10.213.0.2"
_WIRE = "salonbench0"
_FRAMES = 3
_BACKLOG = Path("/proc/sys/net/core/netdev_max_backlog")
_DEEP_BACKLOG = "20000"
"""Packets that wait for the receiving core: a frame for everybody comes at once, which no network card would bring so fast."""
_MEDIA_CORE, _ARRIVAL_CORE_MASK, _NO_MASK = 0, "2", "0"
_LEAST_BYPASSED = 0.95


class Apart(Installation):
    """An installation whose listeners are in another namespace. The control port, on loopback, is handed on to them."""

    def __init__(self, doors: ExitStack, **settings: str) -> None:
        super().__init__(SALON_MEDIA_ADDRESSES=_OURS, **LONG_PACKETS, **settings)
        self._door = doors.enter_context(_handing_on(("127.0.0.1", self.port + 2)))

    @property
    def media_control(self) -> str:
        return f"http://{_OURS}:{self._door}"

    def bypassed(self) -> int:
        for line in self.metrics().splitlines():
            name, _, value = line.partition(" ")
            if name == "salon_media_bypassed_packets_total":
                return int(float(value))
        raise BenchFailed("the operator's page does not tell how many packets went around the UDP stack")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the figures could be measured; else 1, with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m bench.bypass", description="Measure the way around the UDP stack.")
    parser.add_argument("--listeners", type=int, default=LISTENERS)
    listeners = parser.parse_args(arguments).listeners
    signal.signal(signal.SIGTERM, interrupt)
    if os.geteuid() != 0 or (os.cpu_count() or 1) < 2:
        progress("network namespaces need root, and two cores: one sends, one receives")
        return 1
    if (load := os.getloadavg()[0]) > 0.5:
        progress(f"the machine is busy already (load {load:.1f}): figures will be worse than they are")
    began = time.monotonic()
    try:
        build()
        with _cable() as namespace:
            show(figures(namespace, listeners))
    except (BenchFailed, ProcessGone) as error:
        progress(str(error))
        return 1
    progress(f"took {time.monotonic() - began:.0f} s")
    return 0


def figures(namespace: str, listeners: int) -> Iterator[Figure]:
    """Around the UDP stack and by sockets, each with arrivals on the other core and on the same. Raises BenchFailed."""
    around = {"SALON_MEDIA_BYPASS": _WIRE}
    with _arrivals_apart(namespace):
        crowd = measure(namespace, listeners, **around)
        yield from prices("", crowd)
        yield Figure("media.added_loss_bypass_percent", "%", "lower", tuple(window.lost_percent for window in crowd.windows))
    yield from prices("_same_core", measure(namespace, listeners, **around))
    # By sockets last: a machine that is too busy for so many that way has told the rest by then.
    with _arrivals_apart(namespace):
        yield from prices("_sockets", measure(namespace, listeners))
    yield from prices("_sockets_same_core", measure(namespace, listeners))


def prices(which: str, crowd: Crowd) -> Iterator[Figure]:
    """Of a packet, and how many listeners of long packets that makes a core. Raises BenchFailed unless they got long ones."""
    check_packing(crowd, _FRAMES)
    yield Figure(f"media.us_per_packet_bypass{which}", "us", "lower", tuple(crowd.us_per_packet))
    yield Figure(f"media.listeners_per_core_bypass{which}", "listeners", "higher", tuple(crowd.listeners_per_core))


def measure(namespace: str, listeners: int, **settings: str) -> Crowd:
    """A room whose audience is in the namespace. Raises BenchFailed, also when packets take another way than they should."""
    progress(f"{listeners} listeners, {'around the UDP stack' if settings else 'by sockets'}")
    with ExitStack() as doors, Apart(doors, **settings) as salon:
        salon.start()
        for thread in Path(f"/proc/{salon.media_pid()}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {_MEDIA_CORE})
        crowd = bring_direct(salon, stages=listeners, window="3s", namespace=namespace)
        received = sum(window.packets for window in crowd.windows)
        bypassed = salon.bypassed()
    if settings and bypassed < _LEAST_BYPASSED * received:
        raise BenchFailed(f"of {received} packets that arrived only {bypassed} went around the UDP stack")
    if not settings and bypassed:
        raise BenchFailed(f"{bypassed} packets went around the UDP stack, and none should")
    return crowd


@contextmanager
def _cable() -> Iterator[str]:
    """A namespace at the other end of a veth; its name."""
    name = f"salon-bench-{os.getpid()}"
    _run("ip", "netns", "add", name)
    try:
        _run("ip", "link", "add", _WIRE, "type", "veth", "peer", "name", "in0", "netns", name)
        _run("ip", "addr", "add", f"{_OURS}/24", "dev", _WIRE)
        _run("ip", "link", "set", _WIRE, "up")
        for words in (f"addr add {_THEIRS}/24 dev in0", "link set in0 up", "link set lo up"):
            _run("ip", "-n", name, *words.split())
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)  # the cable goes with it


@contextmanager
def _arrivals_apart(namespace: str) -> Iterator[None]:
    """Have the other core handle what arrives in the namespace (receive packet steering)."""
    backlog = _BACKLOG.read_text()
    _steer(namespace, _ARRIVAL_CORE_MASK)
    _BACKLOG.write_text(_DEEP_BACKLOG)
    try:
        yield
    finally:
        _BACKLOG.write_text(backlog)
        _steer(namespace, _NO_MASK)


def _steer(namespace: str, mask: str) -> None:
    _run("ip", "netns", "exec", namespace, "sh", "-c", f"echo {mask} > /sys/class/net/in0/queues/rx-0/rps_cpus")


def _run(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise BenchFailed(f"{' '.join(command)}: {ran.stderr.strip()}")


@contextmanager
def _handing_on(to: tuple[str, int]) -> Iterator[int]:
    """A TCP port at our end of the cable whose connections go on to `to`."""
    with socket.create_server((_OURS, 0)) as server:
        Thread(target=_accept, args=(server, to), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, to: tuple[str, int]) -> None:
    while True:
        try:
            inside, _ = server.accept()
        except OSError:
            return
        outside = socket.create_connection(to)
        for source, sink in ((inside, outside), (outside, inside)):
            Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while some := source.recv(65536):
            sink.sendall(some)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
