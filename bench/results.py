"""What benches measured on this machine, newest of each figure, so that a page and a table can be made of several benches' figures.

`python -m bench.results` stands behind a bench in a pipe: it hands its lines on and keeps them.
"""

import datetime
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.figures import machine
from bench.programs import BUILT

KEPT = Path(__file__).parent / "results"
"""For the page: a file for each machine, in the repository."""
NEWEST = BUILT / "results.jsonl"
"""Of this working copy, whatever its benches printed last."""

Line = dict[str, Any]


def read_results(path: Path) -> dict[str, Line]:
    """By figure; nothing where there is no such file."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["figure"]: line for line in lines}


def merge(path: Path, lines: Iterable[Line]) -> None:
    """Keep these in place of older ones of the same figures. Sorted by figure, so that a change shows as one."""
    merged = read_results(path) | {line["figure"]: line for line in lines}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(merged[name]) + "\n" for name in sorted(merged)))


def file_name(machine_name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", machine_name.lower()).strip("-") + ".jsonl"


def keep(text: str, path: Path, today: datetime.date) -> None:
    """One line that a bench printed. What is no figure is handed on only."""
    try:
        line = json.loads(text)
    except ValueError:
        return
    if isinstance(line, dict) and "figure" in line:
        merge(path, [line | {"measured": today.isoformat()}])


def main() -> int:
    today = datetime.datetime.now(datetime.UTC).date()
    for text in sys.stdin:
        print(text, end="", flush=True)
        keep(text, NEWEST, today)
    return 0


def publish() -> Path:
    """Put what this working copy measured into the file of this machine. Returns the file."""
    newest = read_results(NEWEST)
    path = KEPT / file_name(machine())
    merge(path, (line for line in newest.values() if line["machine"] == machine()))
    return path


if __name__ == "__main__":
    sys.exit(main())
