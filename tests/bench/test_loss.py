"""The loss bench: what it makes of the program's lines, and when a frame counts as there."""

import numpy as np
import pytest

from bench.loss import path
from bench.loss.opus import FRAME, Samples
from bench.loss.path import ONE_WAY_MS, PLAYOUT_MS, Arrived, Means, arrived, longest_gap_ms, play

IN_TIME = (2 * ONE_WAY_MS + PLAYOUT_MS) * 1_000


class FakeDecoder:
    """Says in its samples how a frame was made."""

    def decode(self, packet: bytes) -> Samples:
        return np.full(FRAME, packet[0], dtype=np.int16)

    def recover(self, next_packet: bytes) -> Samples:
        return np.full(FRAME, 100 + next_packet[0], dtype=np.int16)

    def conceal(self) -> Samples:
        return np.full(FRAME, -1, dtype=np.int16)


def test_earliest_coming_of_a_frame_counts() -> None:
    came = arrived(["frame 3 80000 0aff", "frame 3 60000 0aff", "frame 4 60000 0b", "total reported_loss 0.25"])
    assert came == Arrived({3: (b"\x0a\xff", 60_000), 4: (b"\x0b", 60_000)}, {"reported_loss": 0.25})


def test_line_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="not a line of the program's: 'frame 3'"):
        arrived(["frame 3"])


@pytest.mark.parametrize(
    ("after", "fec", "expected"),
    [
        (IN_TIME, False, [1, 2, 3]),
        (IN_TIME + 1, False, [1, -1, 3]),
        (IN_TIME + 1, True, [1, 103, 3]),
    ],
)
def test_late_frame_is_concealed_or_made_from_the_next_one(
    monkeypatch: pytest.MonkeyPatch, after: int, fec: bool, expected: list[int]
) -> None:
    monkeypatch.setattr(path, "Decoder", FakeDecoder)
    samples, in_time = play(Arrived({0: (b"\1", 0), 1: (b"\2", after), 2: (b"\3", 0)}, {}), 3, fec=fec)
    assert samples.reshape(3, FRAME)[:, 0].tolist() == expected
    assert in_time == pytest.approx(1 if after <= IN_TIME else 2 / 3)


def test_next_frame_must_be_there_when_the_missing_one_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path, "Decoder", FakeDecoder)
    played = {after: play(Arrived({1: (b"\2", after)}, {}), 2, fec=True)[0][0] for after in (IN_TIME - 20_000, IN_TIME - 19_999)}
    assert played == {IN_TIME - 20_000: 102, IN_TIME - 19_999: -1}


def test_each_means_is_asked_for_by_name() -> None:
    assert Means(red=True).arguments() == ["speaker_copies=1", "speaker_nack=0", "listener_red=1", "listener_nack=0"]
    assert Means(nack=True, fec=True).arguments() == ["speaker_copies=0", "speaker_nack=1", "listener_red=0", "listener_nack=1"]


def test_gap_is_the_longest_run_of_frames_that_are_lost_or_late() -> None:
    came = Arrived({0: (b"", 0), 2: (b"", IN_TIME), 3: (b"", IN_TIME + 1), 6: (b"", 0)}, {})
    assert longest_gap_ms(came, 7) == 60
    assert longest_gap_ms(came, 2) == 20
