"""Measures of sound: what was said, how well it arrived, and whether it was silent.

Samples are float64 arrays, -1..1, at RATE_HZ unless a name says otherwise.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder
from pystoi import stoi
from scipy.signal import fftconvolve, resample_poly

Samples = NDArray[np.float64]

RATE_HZ = 48_000
_RECOGNISER_HZ = 16_000
_WINDOW_SECS = 0.05
_PIECE_SECS = 0.5
_SLACK_SECS = 0.06
SILENT_RMS = 0.002
"""-54 dBFS: far below the quietest word, above what comfort noise and codecs leave."""
_DIGITS = "one|two|three|four|five|six|seven|eight|nine|ten"
_GRAMMAR = f"#JSGF V1.0; grammar digits; public <digits> = ( {_DIGITS} )+;"


@dataclass(frozen=True)
class Saying:
    """What a fake microphone says over and over: words with a short pause around them."""

    words: str
    file: Path
    samples: Samples

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE_HZ


def synthesise(words: str, file: Path) -> Saying:
    """By flite's voice slt, which pocketsphinx understands without a fault; 48 kHz mono, as a fake microphone wants it."""
    raw = file.with_suffix(".flite.wav")
    subprocess.run(["flite", "-voice", "slt", "-t", words, "-o", str(raw)], check=True)
    subprocess.run(["sox", str(raw), "-r", str(RATE_HZ), "-c", "1", "-b", "16", str(file), "pad", "0.3", "0.3"], check=True)
    return Saying(words, file, read_wav(file))


def read_wav(file: Path) -> Samples:
    command = ["ffmpeg", "-v", "error", "-i", str(file), "-f", "s16le", "-ac", "1", "-ar", str(RATE_HZ), "-"]
    return from_int16(subprocess.run(command, capture_output=True, check=True).stdout)


def from_int16(raw: bytes) -> Samples:
    return np.frombuffer(raw, np.int16).astype(np.float64) / 32768


def recognised(samples: Samples) -> str:
    """The digits that pocketsphinx hears, in order; empty for silence."""
    decoder = Decoder(samprate=_RECOGNISER_HZ, loglevel="FATAL", lm=None)
    decoder.add_jsgf_string("digits", _GRAMMAR)
    decoder.activate_search("digits")
    decoder.start_utt()
    decoder.process_raw((_at_16_khz(samples) * 32767).astype(np.int16).tobytes(), full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return best.hypstr if best else ""


def one_round(saying: Saying, heard: Samples) -> Samples:
    """The stretch of `heard` in which the saying is said once from its beginning. Needs two rounds' length to be sure to contain it."""
    if len(heard) < len(saying.samples):
        raise ValueError("too short to contain the saying")
    at = _offset(heard, saying.samples)
    return heard[at : at + len(saying.samples)]


def intelligibility(saying: Saying, heard: Samples) -> float:
    """STOI (Taal et al. 2011) of `heard` against the same stretch of the saying, wherever in its rounds it begins; about 0..1.

    Above 0.95 every word is understood. Another voice, or noise, stays below 0.6. `heard` should hold at least two seconds.
    """
    heard = heard[: len(saying.samples)]
    if rms(heard) < SILENT_RMS:
        return 0.0
    narrow = _at_16_khz(heard)
    return float(stoi(_same_stretch(_at_16_khz(saying.samples), narrow), narrow, _RECOGNISER_HZ, extended=False))


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


def loudest_window(samples: Samples) -> float:
    """The highest RMS of any 50 ms: a single word in a second of silence still shows."""
    size = int(_WINDOW_SECS * RATE_HZ)
    return max((rms(samples[at : at + size]) for at in range(0, len(samples) - size + 1, size)), default=0.0)


def silent_from(samples: Samples) -> float:
    """After how many seconds `samples` fall silent for good; their whole length if they never do."""
    size = int(_WINDOW_SECS * RATE_HZ)
    loud = [at for at in range(0, len(samples), size) if rms(samples[at : at + size]) >= SILENT_RMS]
    return min((loud[-1] + size if loud else 0) / RATE_HZ, len(samples) / RATE_HZ)


def longest_silence(samples: Samples) -> float:
    """Seconds."""
    size = int(_WINDOW_SECS * RATE_HZ)
    longest = current = 0
    for at in range(0, len(samples) - size + 1, size):
        current = 0 if rms(samples[at : at + size]) >= SILENT_RMS else current + 1
        longest = max(longest, current)
    return longest * _WINDOW_SECS


def _same_stretch(said: Samples, heard: Samples) -> Samples:
    """What was said at the time of each piece of `heard`; both at 16 kHz.

    Piece by piece, because a jitter buffer stretches and shrinks time by some milliseconds as it adapts: nobody hears that, but a
    comparison sample by sample would.
    """
    rounds = np.concatenate([said, said, said])
    begin = len(said) + _offset(rounds[len(said) :], heard)
    size, slack = int(_PIECE_SECS * _RECOGNISER_HZ), int(_SLACK_SECS * _RECOGNISER_HZ)
    stretches = []
    for at in range(0, len(heard), size):
        piece = heard[at : at + size]
        window = rounds[begin + at - slack : begin + at + len(piece) + slack]
        shift = _offset(window, piece) if rms(piece) >= SILENT_RMS else slack
        stretches.append(window[shift : shift + len(piece)])
    return np.concatenate(stretches)


def _offset(within: Samples, piece: Samples) -> int:
    return int(np.argmax(fftconvolve(within, piece[::-1], mode="valid")))


def _at_16_khz(samples: Samples) -> Samples:
    return np.asarray(resample_poly(samples, 1, RATE_HZ // _RECOGNISER_HZ), np.float64)
