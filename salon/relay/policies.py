"""Who may be heard in each room, by the newest word of web. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class StageSpeaker:
    person: str
    csrc: int
    muted: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """docs/subsystems/processes.md."""

    room: str
    version: int
    phase: Literal["live", "ended"]
    speakers: tuple[StageSpeaker, ...]
    epochs: Mapping[str, int]

    @property
    def is_live(self) -> bool:
        return self.phase == "live"

    def is_on_stage(self, person: str) -> bool:
        return any(speaker.person == person for speaker in self.speakers)


def read_policy(message: Mapping[str, Any]) -> Policy:
    """Raises ValueError, KeyError, TypeError for what is no policy."""
    if message["phase"] not in ("live", "ended"):
        raise ValueError("phase")
    try:
        speakers = tuple(StageSpeaker(str(each["person"]), int(each["csrc"]), bool(each["muted"])) for each in message["speakers"])
        epochs = {str(person): int(epoch) for person, epoch in dict(message["epochs"]).items()}
        return Policy(str(message["room"]), int(message["version"]), message["phase"], speakers, epochs)
    except OverflowError as error:  # JSON writes numbers that no integer holds
        raise ValueError("number") from error


FORGOTTEN_SECS = 600.0
"""A policy is kept long after the last grant (60 s) that could contradict it."""


class PolicyBook:
    """The newest policy of every room heard of, sessions or not: a grant that was made before a removal may arrive after it."""

    def __init__(self) -> None:
        self._policies: dict[str, Policy] = {}
        self._heard_at: dict[str, float] = {}

    def accept(self, policy: Policy, *, now: float) -> bool:
        """Whether it is news. now: monotonic seconds."""
        known = self._policies.get(policy.room)
        if known is not None and known.version >= policy.version:
            return False
        self._policies[policy.room] = policy
        self._heard_at[policy.room] = now
        return True

    def get(self, room: str) -> Policy | None:
        return self._policies.get(room)

    def epoch(self, room: str, person: str) -> int:
        """Sessions and grants of an older epoch than this are void."""
        policy = self._policies.get(room)
        return policy.epochs.get(person, 0) if policy else 0

    def version(self, room: str) -> int:
        policy = self._policies.get(room)
        return policy.version if policy else 0

    def forget_unused(self, used: set[str], *, now: float) -> list[str]:
        """The rooms forgotten."""
        forgotten = [room for room, at in self._heard_at.items() if room not in used and now - at > FORGOTTEN_SECS]
        for room in forgotten:
            del self._heard_at[room], self._policies[room]
        return forgotten
