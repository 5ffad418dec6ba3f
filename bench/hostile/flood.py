"""Send a file's datagrams to an address, evenly: a process of its own, so that it is on time and nobody's sound waits for it.

python -m bench.hostile.flood FD PORT SECS < datagrams, each behind its length in two bytes. FD: a UDP socket that was handed down.
Prints how many were sent.
"""

import socket
import sys
import time


def main() -> None:
    descriptor, port, secs = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    packets = _packets(sys.stdin.buffer.read())
    out = socket.socket(fileno=descriptor)
    began, sent = time.monotonic(), 0
    while sent < len(packets):
        due = min(len(packets), int((time.monotonic() - began) / secs * len(packets)) + 1)
        for packet in packets[sent:due]:
            try:
                out.sendto(packet, ("127.0.0.1", port))
            except BlockingIOError:
                time.sleep(0.0002)
        sent = due
        time.sleep(0.0005)
    out.detach()
    print(sent)


def _packets(framed: bytes) -> list[bytes]:
    packets, at = [], 0
    while at < len(framed):
        length = int.from_bytes(framed[at : at + 2], "big")
        packets.append(framed[at + 2 : at + 2 + length])
        at += 2 + length
    return packets


if __name__ == "__main__":
    main()
