"""The two programs have tests of their own; here they run with all others, where their tools are installed."""

import shutil
import subprocess
import sys

import pytest

from bench.programs import BUILT, FOLDER, BenchFailed, _lines


def run(folder: str, *command: str) -> None:
    result = subprocess.run(command, cwd=FOLDER / folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"


@pytest.mark.timeout(300)  # a first run fetches and compiles the modules
@pytest.mark.skipif(shutil.which("go") is None, reason="Go is only needed for the load client")
def test_load_client_passes_its_own_tests() -> None:
    run("loadclient", "go", "vet", "./...")
    run("loadclient", "go", "test", "./...")


@pytest.mark.skipif(shutil.which("gofmt") is None, reason="Go is only needed for the load client")
def test_load_client_is_formatted() -> None:
    sources = sorted(path.name for path in (FOLDER / "loadclient").glob("*.go"))
    result = subprocess.run(["gofmt", "-l", *sources], cwd=FOLDER / "loadclient", capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


@pytest.mark.timeout(300)
@pytest.mark.skipif(shutil.which("cargo") is None, reason="Rust is not installed")
def test_limit_program_passes_its_own_tests() -> None:
    run("limit", "cargo", "fmt", "--check")
    run("limit", "cargo", "test", "--quiet", "--locked", "--release", "--jobs", "2", "--target-dir", str(BUILT / "limit-target"))


# Says a line, falls silent, and goes on once it is told to.
PROGRAM = """
import json, sys
print(json.dumps({"kind": "quiet"}), flush=True)
print(json.dumps({"kind": "window", "told": sys.stdin.readline()}), flush=True)
sys.exit(int(sys.argv[1]))
"""


def test_program_that_falls_silent_goes_on_when_its_driver_is_done() -> None:
    done: list[str] = []
    lines = list(_lines([sys.executable, "-c", PROGRAM, "0"], lambda: done.append("limit")))
    assert (done, lines) == (["limit"], [{"kind": "window", "told": "\n"}])


def test_program_that_fails_is_told() -> None:
    with pytest.raises(BenchFailed, match="stopped with 3"):
        list(_lines([sys.executable, "-c", PROGRAM, "3"], lambda: None))
