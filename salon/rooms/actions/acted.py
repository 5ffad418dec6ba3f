"""What a command answers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Acted:
    """seq: the number of the room's stream after the change. id: of what was made; None where nothing was."""

    seq: int
    id: str | None = None
