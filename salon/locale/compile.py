"""Compile the server's translations: `python -m salon.locale.compile` writes a `.mo` beside each `.po`.

Django's own `compilemessages` needs GNU gettext on the machine; Babel reads and writes the same formats.
"""

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compile_catalogues(folder: Path) -> list[Path]:
    """Compile every catalogue below `folder` and return what was written. Raises PoFileError on a malformed one."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
        target = source.with_suffix(".mo")
        with target.open("wb") as file:
            write_mo(file, catalogue)
        written.append(target)
    return written


if __name__ == "__main__":
    compile_catalogues(Path(__file__).parent)
    sys.exit(0)
