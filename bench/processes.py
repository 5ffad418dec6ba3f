"""What Linux says about processes: processor time, memory, children, who listens on a port."""

import os
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Literal

_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
_TCP_LISTEN = "0A"


class ProcessGone(Exception):
    """The process ended while it was being measured."""


def cpu_secs(pid: int) -> float:
    """User and system time of the process and all its threads since it began, ended threads included. Raises ProcessGone.

    /proc/PID/stat has the same in ticks of 10 ms, which is a tenth of what a hundred listeners cost in a window.
    """
    try:
        return time.clock_gettime(_cpu_clock(pid))
    except OSError as error:
        raise ProcessGone(f"process {pid} has ended") from error


def _cpu_clock(pid: int) -> int:
    """clock_getcpuclockid(3), which Python offers for threads only: the kernel's number for a process's scheduler clock."""
    return (~pid << 3) | 2


def resident_kib(pid: int) -> int:
    """Memory that is really in use, shared libraries included. Raises ProcessGone."""
    return int(_read(pid, "statm").split()[1]) * _PAGE_KIB


def descendants(pid: int) -> list[int]:
    """The process itself, its children, theirs, and so on."""
    children = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children[parent].append(int(folder.name))
    family = [pid]
    for member in family:
        family.extend(children[member])
    return family


def is_running(pid: int, *arguments: str) -> bool:
    """Whether these are the last words of its command line. Not before exec(2), nor after its end."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    except OSError:
        return False
    return words[-len(arguments) :] == list(arguments)


def listener(port: int, kind: Literal["tcp", "udp"], among: list[int]) -> int:
    """Which of the processes owns the socket on this port: the first one that does. Raises ProcessGone if none."""
    wanted = {f"socket:[{inode}]" for inode in socket_inodes(Path(f"/proc/net/{kind}").read_text(), port, kind)}
    for pid in among:
        if not wanted.isdisjoint(_open_files(pid)):
            return pid
    raise ProcessGone(f"none of Salon's processes listens on {kind} port {port}")


def socket_inodes(table: str, port: int, kind: Literal["tcp", "udp"]) -> list[int]:
    """Inodes of sockets bound to the port, of /proc/net/udp or tcp (there: listening ones only)."""
    inodes = []
    for row in table.splitlines()[1:]:
        fields = row.split()
        is_bound = int(fields[1].rpartition(":")[2], 16) == port
        if is_bound and (kind == "udp" or fields[3] == _TCP_LISTEN):
            inodes.append(int(fields[9]))
    return inodes


def _open_files(pid: int) -> list[str]:
    try:
        links = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return []
    names = []
    for link in links:
        with suppress(OSError):  # closed since it was listed
            names.append(str(link.readlink()))
    return names


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError as error:
        raise ProcessGone(f"process {pid} has ended") from error
