"""A path of two lossy legs with the engine between them, and a listener's player at its end."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.loss.opus import Decoder, Samples

ONE_WAY_MS = 30
"""Each leg: a round trip of 60 ms."""
PLAYOUT_MS = 120
"""How much later than at best a frame is played: all the delay that repair may add."""
PROGRAM = Path(__file__).parents[2] / "media/target/debug/examples/lossy_path"


@dataclass(frozen=True, slots=True)
class Legs:
    """Loss, 0 to 1, and the mean length of its bursts where it comes in bursts. On either: how much later than ONE_WAY_MS at most, each
    datagram by its own luck (so they overtake each other), and the share that comes twice."""

    up: float = 0.0
    down: float = 0.0
    mean_burst: float | None = None
    jitter_ms: int = 0
    duplication: float = 0.0


@dataclass(frozen=True, slots=True)
class Means:
    """What is done about loss."""

    red: bool = False
    nack: bool = False
    fec: bool = False

    def arguments(self) -> list[str]:
        return [
            f"speaker_copies={int(self.red)}",
            f"speaker_nack={int(self.nack)}",
            f"listener_red={int(self.red)}",
            f"listener_nack={int(self.nack)}",
        ]


@dataclass(frozen=True, slots=True)
class Arrived:
    """frames: number → (payload, microseconds from its being said to its first coming). totals: by name."""

    frames: dict[int, tuple[bytes, int]]
    totals: dict[str, float]


def send(frames: Sequence[bytes], legs: Legs, means: Means, seed: int) -> Arrived:
    """Send frames of 20 ms; returns what came. The same seed brings the same luck."""
    loss = [f"up_loss={legs.up}", f"down_loss={legs.down}"]
    if legs.mean_burst is not None:
        loss += [f"up_burst={legs.mean_burst}", f"down_burst={legs.mean_burst}"]
    if legs.jitter_ms or legs.duplication:
        loss += [f"jitter_ms={legs.jitter_ms}", f"duplication={legs.duplication}"]
    command = [str(PROGRAM), f"seed={seed}", f"delay_ms={ONE_WAY_MS}", *loss, *means.arguments()]
    stream = b"".join(len(frame).to_bytes(2, "big") + frame for frame in frames)
    output = subprocess.run(command, input=stream, capture_output=True, check=True).stdout.decode()
    return arrived(output.splitlines())


def arrived(lines: Sequence[str]) -> Arrived:
    """Read the program's lines (see `media/engine/examples/lossy_path.rs`)."""
    frames: dict[int, tuple[bytes, int]] = {}
    totals: dict[str, float] = {}
    for line in lines:
        match line.split(" "):
            case ["frame", number, microseconds, payload]:
                at, after = int(number), int(microseconds)
                if at not in frames or after < frames[at][1]:
                    frames[at] = (bytes.fromhex(payload), after)
            case ["total", name, value]:
                totals[name] = float(value)
            case _:
                raise ValueError(f"not a line of the program's: {line!r}")
    return Arrived(frames, totals)


def longest_gap_ms(came: Arrived, count: int) -> int:
    """The longest run of frames, of `count`, that were not there when their time came, as `play` would have it."""
    latest = (2 * ONE_WAY_MS + PLAYOUT_MS) * 1_000
    longest = current = 0
    for number in range(count):
        is_there = number in came.frames and came.frames[number][1] <= latest
        current = 0 if is_there else current + 1
        longest = max(longest, current)
    return longest * 20


def play(came: Arrived, count: int, *, fec: bool) -> tuple[Samples, float]:
    """What a player with a fixed delay makes of `count` frames, and the share of frames that were there in time.

    A frame not there when its time comes is made from the next one's in-band FEC, if that is wanted and the next one is there; else
    concealed. Real players stretch time; this one is the plainest, so that it repairs nothing by itself.
    """
    latest = (2 * ONE_WAY_MS + PLAYOUT_MS) * 1_000
    in_time = {number: frame for number, (frame, after) in came.frames.items() if after <= latest}
    # The next frame is said 20 ms later and has to be there by the time of the one before.
    early = {number for number, (_, after) in came.frames.items() if after <= latest - 20_000}
    decoder, played = Decoder(), []
    for number in range(count):
        if number in in_time:
            played.append(decoder.decode(in_time[number]))
        elif fec and number + 1 in early:
            played.append(decoder.recover(in_time[number + 1]))
        else:
            played.append(decoder.conceal())
    return np.concatenate(played), len([number for number in range(count) if number in in_time]) / count
