"""`make bench-page`: the figures of docs/benchmarks.md, between its markers. No number there is typed by hand."""

import sys
from pathlib import Path

from bench.goals import APPLICATION, ENGINE, ROBUSTNESS
from bench.plot import IMAGE
from bench.results import KEPT, publish, read_results
from bench.table import markdown_of_all, markdown_table

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- figures: written by make bench-page -->\n", "<!-- end of figures -->\n"


def rendered(page: str, folder: Path, image: Path) -> str:
    """The page with the figures of every machine in `folder`, and with the picture where it was drawn.

    Raises ValueError where a marker is missing.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("the page has lost a marker")
    return f"{before}{begin}\n{_machines(folder)}{_picture(image)}{end}{after}"


def _picture(image: Path) -> str:
    words = "What a delivered packet costs the media process, against the listeners of its room"
    return f"![{words}]({image.relative_to(PAGE.parent)})\n\n" if image.exists() else ""


def _machines(folder: Path) -> str:
    sections = []
    for path in sorted(folder.glob("*.jsonl")):
        results = read_results(path)
        name = next(iter(results.values()))["machine"]
        sections += [
            f"### {name}\n",
            "The engine:\n",
            markdown_table(ENGINE, results),
            "When something breaks, or somebody attacks:\n",
            markdown_table(ROBUSTNESS, results),
            "The application:\n",
            markdown_table(APPLICATION, results),
            "<details><summary>Every figure</summary>\n",
            markdown_of_all(results.values()),
            "</details>\n",
        ]
    return "\n".join(sections) + "\n" if sections else ""


def main() -> int:
    publish()
    PAGE.write_text(rendered(PAGE.read_text(), KEPT, IMAGE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
