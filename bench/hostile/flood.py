"""Send a file's datagrams to an address, evenly: a process of its own, so that it is on time and nobody's sound waits for it.

python -m bench.hostile.flood FD PORT SECS < datagrams, each behind its length in two bytes. FD: a UDP socket that was handed down.
Prints when it began and when it ended, in monotonic seconds.
"""

import socket
import struct
import sys
import time
from itertools import groupby, islice

_SOL_UDP = 17
_UDP_SEGMENT = 103
"""udp(7): the kernel cuts one buffer into datagrams, so that sending costs the machine little beside receiving."""
_SEGMENTS = 48
_LOOK_SECS = 0.0005
_LONGEST = 60_000


def main() -> None:
    descriptor, port, secs = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    packets = _packets(sys.stdin.buffer.read())
    out = socket.socket(fileno=descriptor)
    began, sent = time.monotonic(), 0
    while sent < len(packets):
        due = min(len(packets), int((time.monotonic() - began) / secs * len(packets)) + 1)
        for length, alike in groupby(packets[sent:due], len):
            rest = iter(alike)
            while some := list(islice(rest, max(1, min(_SEGMENTS, _LONGEST // length)))):
                _send(out, port, some)
        sent = due
        time.sleep(max(_LOOK_SECS, secs / len(packets)))
    out.detach()
    print(began, time.monotonic())


def _send(out: socket.socket, port: int, packets: list[bytes]) -> None:
    """packets: of one length."""
    while True:
        try:
            out.sendmsg(packets, [(_SOL_UDP, _UDP_SEGMENT, struct.pack("@H", len(packets[0])))], 0, ("127.0.0.1", port))
        except BlockingIOError:
            time.sleep(0.0002)
        else:
            return


def _packets(framed: bytes) -> list[bytes]:
    packets, at = [], 0
    while at < len(framed):
        length = int.from_bytes(framed[at : at + 2], "big")
        packets.append(framed[at + 2 : at + 2 + length])
        at += 2 + length
    return packets


if __name__ == "__main__":
    main()
