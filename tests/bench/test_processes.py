import os
import socket
import subprocess
import sys
import time

import pytest

from bench.processes import ProcessGone, cpu_secs, descendants, is_running, listener, resident_kib, socket_inodes

UDP_TABLE = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1234: 0100007F:1F44 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0
 1235: 00000000:1F45 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 0
"""
TCP_TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F44 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 51 1 0 100 0 0 10 0
   1: 0100007F:1F44 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 52 1 0 20 4 30 10 -1
"""


def test_cpu_time_of_this_process_grows_by_what_it_works() -> None:
    before, worked = cpu_secs(os.getpid()), time.process_time()
    while time.process_time() - worked < 0.2:
        sum(range(1000))
    assert cpu_secs(os.getpid()) - before == pytest.approx(time.process_time() - worked, abs=0.01)


def test_cpu_time_of_a_child_is_its_own() -> None:
    work = "import time\nwhile time.process_time() < 0.3: pass\nprint(1, flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        spent = cpu_secs(child.pid)
        child.communicate(b"\n")
    assert 0.3 <= spent < 0.4


def test_process_that_ended_is_named() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with pytest.raises(ProcessGone, match=f"process {child.pid} has ended"):
        cpu_secs(child.pid)


def test_resident_memory_sees_what_is_used() -> None:
    before = resident_kib(os.getpid())
    block = bytearray(b"\x01" * (32 << 20))
    assert resident_kib(os.getpid()) - before == pytest.approx(32 << 10, rel=0.2)
    del block


def test_socket_inodes_are_those_of_the_port() -> None:
    assert socket_inodes(UDP_TABLE, 8004, "udp") == [4711]
    assert socket_inodes(UDP_TABLE, 9, "udp") == []
    assert socket_inodes(TCP_TABLE, 8004, "tcp") == [51]


def test_listener_is_the_process_that_owns_the_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        assert listener(port, "udp", descendants(os.getpid())) == os.getpid()
        with pytest.raises(ProcessGone, match=f"listens on udp port {port}"):
            listener(port, "udp", [1])


def test_descendants_begin_with_the_process_and_hold_grandchildren() -> None:
    nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # the grandchild is up
        family = descendants(child.pid)
        child.communicate(b"\n")
    assert family[0] == child.pid
    assert len(family) == 2


def test_command_line_is_known_by_its_last_words() -> None:
    command = [sys.executable, "-c", "print(1, flush=True); input()", "salon", "media"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # exec(2) sets its words a moment after it has closed what tells Popen of its success
        assert is_running(child.pid, "salon", "media")
        assert not is_running(child.pid, "media", "salon")
        child.communicate(b"\n")
        assert not is_running(child.pid, "salon", "media")
