"""What this machine lets its processes ask of the scheduler."""

import os
import subprocess
import sys

_ASK = "import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))"


def may_come_first() -> bool:
    """Whether a thread of a process of ours may be real-time, and a processor is left beside it."""
    if len(os.sched_getaffinity(0)) < 2:
        return False
    return subprocess.run([sys.executable, "-c", _ASK], check=False, stderr=subprocess.DEVNULL).returncode == 0
