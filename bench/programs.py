"""The two programs of the benches: the load client (Go) and the limit program (Rust). Built here, run here."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
BUILT = FOLDER.parent / ".build" / "bench"


class BenchFailed(Exception):
    """Something could not be measured; the message says what and why."""


def progress(sentence: str) -> None:
    """Tell whoever waits; standard output is for figures alone."""
    print(f"bench: {sentence}", file=sys.stderr, flush=True)


def build() -> None:
    """Build both programs; cargo and go do nothing when they are up to date. Raises BenchFailed."""
    for tool, why, source in (("go", "the load client", "https://go.dev/dl"), ("cargo", "the limit program", "https://rustup.rs")):
        if shutil.which(tool) is None:
            raise BenchFailed(f"{tool} is missing: it builds {why}. Get it from {source}")
    BUILT.mkdir(parents=True, exist_ok=True)
    _build(["go", "build", "-trimpath", "-o", str(BUILT / "loadclient"), "."], FOLDER / "loadclient")
    cargo = ["cargo", "build", "--quiet", "--locked", "--release", "--jobs", "2", "--target-dir", str(BUILT / "limit-target")]
    _build(cargo, FOLDER / "limit")


def _build(command: list[str], folder: Path) -> None:
    result = subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False)
    if result.returncode != 0:
        raise BenchFailed(f"{' '.join(command[:2])} failed in {folder.name}; what it said stands above")


def run_limit(*, receivers: int, packet_bytes: int, runs: int, rounds: int = 150, round_ms: int = 20) -> list[dict[str, Any]]:
    """Each run's line; see bench/limit/src/main.rs. Raises BenchFailed when more than one packet in a hundred was lost."""
    command = [str(BUILT / "limit-target" / "release" / "limit")]
    for name, value in (
        ("receivers", receivers),
        ("packet-bytes", packet_bytes),
        ("round-ms", round_ms),
        ("rounds", rounds),
        ("runs", runs),
    ):
        command += [f"--{name}", str(value)]
    lines = list(_lines(command))
    for line in lines:
        lost = line["sent"] - line["received"]
        if lost > line["sent"] // 100:
            raise BenchFailed(f"the limit program lost {lost} of its own {line['sent']} packets")
        if line["late_rounds"]:
            progress(f"{line['late_rounds']} of {rounds} rounds of the limit program began late: the machine is busy with something else")
    return lines


def run_load_client(
    command: str, *, on_quiet: Callable[[], None] | None = None, namespace: str | None = None, **options: object
) -> Iterator[dict[str, Any]]:
    """Its lines as they come, the last one ("done") included; see bench/loadclient. Raises BenchFailed when it fails.

    on_quiet: called each time that it has fallen silent to leave the machine to us (`--stepwise`); it goes on afterwards.
    namespace: of the network, by `ip netns`; ours if None.
    """
    within = [] if namespace is None else ["ip", "netns", "exec", namespace]
    arguments = [*within, str(BUILT / "loadclient"), command]
    for name, value in options.items():
        arguments.append(f"--{name.replace('_', '-')}={value}")
    if on_quiet is not None:
        arguments.append("--stepwise")
    yield from _lines(arguments, on_quiet)


def _lines(command: list[str], on_quiet: Callable[[], None] | None = None) -> Iterator[dict[str, Any]]:
    # Collecting garbage less often: the load client's share of the machine must stay small beside the server's.
    environment = {**os.environ, "GOGC": "400"}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdin is not None and process.stdout is not None
    try:
        for text in process.stdout:
            line = json.loads(text)
            if on_quiet is not None and line.get("kind") == "quiet":
                on_quiet()
                process.stdin.write("\n")
                process.stdin.flush()
            else:
                yield line
        if process.wait() != 0:
            raise BenchFailed(f"{Path(command[0]).name} stopped with {process.returncode}; what it said stands above")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(10)
