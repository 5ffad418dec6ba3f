import subprocess
import sys

import pytest

from bench.ports import free_ports


def test_two_asked_for_at_once_are_others() -> None:
    assert len({free_ports(5) for _ in range(20)}) == 20


def test_another_process_is_given_others_for_as_long_as_this_one_runs() -> None:
    mine = free_ports(10)
    # Beginning where this process begins: without a reservation it would come to the same ones.
    other = f"import os; os.getpid = lambda: {mine - 12_000} // 10; from bench.ports import free_ports; print(free_ports(10))"
    assert int(subprocess.check_output([sys.executable, "-c", other])) != mine


@pytest.mark.parametrize("count", [0, 11])
def test_senseless_counts_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"not {count}"):
        free_ports(count)
