"""`make bench-loss`: how speech sounds that has come over lossy legs, with all repair and with each means alone.

Prints a JSON line for each figure, and a table on standard error. Scores are PESQ-WB (ITU-T P.862.2) and STOI (Taal et al., 2011)
against the run of the same path that lost nothing. Time is emulated: a busy machine changes how long it takes and nothing else.
"""

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from pesq import pesq
from pystoi import stoi
from scipy.signal import resample_poly

from bench.figures import Figure
from bench.loss.opus import FRAME, RATE_HZ, Encoder, Samples, speech
from bench.loss.path import PLAYOUT_MS, Legs, Means, longest_gap_ms, play, send

RECORDING = Path(__file__).parents[1] / "loadclient/speech/speech.opus"
REPEATS = 4
"""The recording is said so often in a row …"""
LEARNING = 1
"""… of which the first is for legs to learn their loss, and not scored."""
SEEDS = (1, 2, 3)
SCORE_RATE_HZ = 16_000

ALONE = {
    "concealment": Means(),
    "FEC": Means(fec=True),
    "RED": Means(red=True),
    "NACK": Means(nack=True),
}
ALL = Means(red=True, nack=True, fec=True)


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    legs: Legs


CASES = (
    Case("listener_loss_5", Legs(down=0.05)),
    Case("listener_loss_10", Legs(down=0.10)),
    Case("listener_loss_20", Legs(down=0.20)),
    Case("listener_bursts_10", Legs(down=0.10, mean_burst=3.0)),
    Case("both_loss_20", Legs(up=0.20, down=0.20)),
)


JITTERY = Legs(jitter_ms=80, duplication=0.02)


@dataclass(frozen=True, slots=True)
class Score:
    """in_time: the share of frames that were there when their time came. rate: bytes a second on the listener's leg."""

    pesq: float
    stoi: float
    in_time: float
    rate: float


@cache
def said() -> Samples:
    return np.tile(speech(RECORDING), REPEATS)


@cache
def encoded(loss_percent: int) -> list[bytes]:
    encoder = Encoder(loss_percent)
    return [encoder.encode(said()[start : start + FRAME]) for start in range(0, len(said()), FRAME)]


@cache
def without_loss(loss_percent: int) -> Samples:
    frames = encoded(loss_percent)
    return play(send(frames, Legs(), Means(), seed=0), len(frames), fec=False)[0]


def score(case: Case, means: Means, seed: int) -> Score:
    percent = 0
    came = send(encoded(percent), case.legs, means, seed)
    if means.fec:
        # The encoder goes by the engine's reports. Luck does not depend on what is sent, so a run without FEC tells them.
        percent = round(100 * came.totals["reported_loss"])
        came = send(encoded(percent), case.legs, means, seed)
    lossless = without_loss(percent)
    heard, in_time = play(came, len(encoded(percent)), fec=means.fec)
    part = len(heard) // REPEATS
    parts = [slice(at * part, (at + 1) * part) for at in range(LEARNING, REPEATS)]
    seconds = len(heard) / RATE_HZ
    return Score(
        pesq=float(np.mean([wideband_pesq(lossless[part], heard[part]) for part in parts])),
        stoi=float(np.mean([stoi(lossless[part] / 32_768, heard[part] / 32_768, RATE_HZ) for part in parts])),
        in_time=in_time,
        rate=came.totals["bytes_to_listener"] / seconds,
    )


def jitter_gap_ms(seed: int) -> int:
    """The longest gap where nothing is lost, but each datagram takes up to 80 ms more on either leg, and one in fifty comes twice."""
    frames = encoded(0)
    return longest_gap_ms(send(frames, JITTERY, ALL, seed), len(frames))


def wideband_pesq(reference: Samples, heard: Samples) -> float:
    down = RATE_HZ // SCORE_RATE_HZ
    return float(pesq(SCORE_RATE_HZ, resample_poly(reference / 32_768, 1, down), resample_poly(heard / 32_768, 1, down), "wb"))


def main() -> None:
    print(f"{'':22}{'':14}{'PESQ-WB':>8}{'STOI':>8}{'in time':>9}{'kbit/s':>8}", file=sys.stderr)
    for case in CASES:
        for name, means in {**ALONE, "all of it": ALL}.items():
            scores = [score(case, means, seed) for seed in SEEDS]
            mean = Score(*np.mean([[score.pesq, score.stoi, score.in_time, score.rate] for score in scores], axis=0))
            cells = f"{mean.pesq:8.2f}{mean.stoi:8.3f}{mean.in_time:9.1%}{mean.rate * 8 / 1_000:8.0f}"
            print(f"{case.name:22}{name:14}{cells}", file=sys.stderr, flush=True)
            figure = f"{case.name}" if means == ALL else f"{case.name}_{name.lower()}_alone"
            print(Figure(f"media.pesq_{figure}", "MOS-LQO", "higher", tuple(score.pesq for score in scores)).line(), flush=True)
            print(Figure(f"media.stoi_{figure}", "1", "higher", tuple(score.stoi for score in scores)).line(), flush=True)
    gaps = tuple(float(jitter_gap_ms(seed)) for seed in SEEDS)
    print(Figure("media.jitter_gap_ms_max", "ms", "lower", (max(gaps),)).line(), flush=True)
    print(Figure("media.repair_added_delay", "ms", "lower", (float(PLAYOUT_MS),)).line())


if __name__ == "__main__":
    main()
