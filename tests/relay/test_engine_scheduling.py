"""Whether the engine's threads run before everything in normal scheduling (sched(7)): by what was asked, what the process may, and how
many processors there are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.ports import free_ports
from tests.scheduling import may_come_first

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, os, sys
from salon.relay._engine import Engine
processors, port, options = json.loads(sys.argv[1])
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:processors])
engine = Engine(port=port, addresses=["127.0.0.1"], bind="127.0.0.1", **options)
is_normal = os.sched_getscheduler(0) == os.SCHED_OTHER
print(json.dumps([is_normal, [thread.is_realtime for thread in engine.stats().threads]]))
engine.close()
"""
NOT_ALLOWED = ["prlimit", "--rtprio=0", "setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"]


@pytest.mark.skipif(os.geteuid() != 0 or not may_come_first(), reason="needs root with CAP_SYS_NICE, and two processors")
@pytest.mark.parametrize(
    ("may", "processors", "options", "realtime"),
    [
        pytest.param([], 2, {"realtime": True}, [True], id="asked for"),
        pytest.param([], 2, {}, [False], id="not asked for"),
        pytest.param(NOT_ALLOWED, 2, {"realtime": True}, [False], id="not allowed"),
        pytest.param([], 1, {"realtime": True}, [False], id="no processor left beside one thread"),
        pytest.param([], 2, {"realtime": True, "threads": 2}, [False, False], id="no processor left beside two"),
    ],
)
def test_threads_come_first_where_asked_and_allowed_and_something_can_run_beside_them(
    may: list[str], processors: int, options: dict[str, object], realtime: list[bool]
) -> None:
    arguments = json.dumps([processors, free_ports(1), options])
    ran = subprocess.run([*may, sys.executable, "-c", PROGRAM, arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)

    assert json.loads(ran.stdout) == [True, realtime], "and who started them goes on in normal scheduling"
