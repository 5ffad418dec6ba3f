"""The measures themselves: a journey that trusts them must know that they can say no."""

import numpy as np
import pytest

from tests.e2e.sound import (
    RATE_HZ,
    SILENT_RMS,
    Saying,
    intelligibility,
    loudest_window,
    one_round,
    recognised,
    rms,
    silent_from,
    synthesise,
)

UP = "one two three four five six seven eight nine ten"
DOWN = "ten nine eight seven six five four three two one"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Saying:
    return synthesise(UP, tmp_path_factory.mktemp("up") / "up.wav")


@pytest.fixture(scope="module")
def down(tmp_path_factory: pytest.TempPathFactory) -> Saying:
    return synthesise(DOWN, tmp_path_factory.mktemp("down") / "down.wav")


def secs(number: float) -> int:
    return int(number * RATE_HZ)


def rounds(saying: Saying, *, begin_secs: float, length_secs: float) -> np.ndarray:
    looped = np.tile(saying.samples, 4)
    return looped[secs(begin_secs) : secs(begin_secs + length_secs)]


def test_one_round_found_in_the_middle_of_a_loop_is_recognised_word_for_word(up: Saying) -> None:
    heard = rounds(up, begin_secs=1.7, length_secs=2 * up.seconds)
    assert recognised(one_round(up, heard)) == UP


def test_recognised_another_order_of_words_is_told_apart(down: Saying) -> None:
    assert recognised(down.samples) == DOWN


def test_recognised_silence_is_no_words() -> None:
    assert recognised(np.zeros(secs(3))) == ""


def test_intelligibility_of_the_same_words_begun_anywhere_is_full(up: Saying) -> None:
    assert intelligibility(up, rounds(up, begin_secs=2.2, length_secs=3) * 0.3) > 0.99


def test_intelligibility_of_another_saying_is_low(up: Saying, down: Saying) -> None:
    assert intelligibility(up, rounds(down, begin_secs=0, length_secs=3)) < 0.6


def test_intelligibility_of_words_stretched_by_a_few_milliseconds_is_full(up: Saying) -> None:
    heard = rounds(up, begin_secs=0.4, length_secs=3)
    assert intelligibility(up, np.concatenate([heard[: secs(1)], heard[secs(1) - secs(0.02) :]])) > 0.97


def test_intelligibility_of_noise_is_low(up: Saying) -> None:
    assert intelligibility(up, np.random.default_rng(7).normal(0, 0.1, secs(3))) < 0.6


def test_intelligibility_of_words_under_loud_noise_is_below_the_bar(up: Saying) -> None:
    heard = rounds(up, begin_secs=0.5, length_secs=3)
    assert intelligibility(up, heard + np.random.default_rng(7).normal(0, rms(heard), len(heard))) < 0.9


def test_intelligibility_with_a_tenth_of_packets_missing_is_below_the_bar(up: Saying) -> None:
    heard = rounds(up, begin_secs=0.5, length_secs=3).copy()
    chance = np.random.default_rng(7)
    for frame in range(0, len(heard), 960):
        if chance.random() < 0.15:
            heard[frame : frame + 960] = 0
    assert intelligibility(up, heard) < 0.95


def test_intelligibility_of_silence_is_nothing(up: Saying) -> None:
    assert intelligibility(up, np.zeros(secs(3))) == 0.0


def test_silent_from_says_when_the_last_sound_ended() -> None:
    samples = np.concatenate([np.full(secs(0.5), 0.1), np.zeros(secs(1))])
    assert silent_from(samples) == pytest.approx(0.5)


def test_silent_from_sound_that_goes_on_is_the_whole_length(up: Saying) -> None:
    samples = np.full(secs(1), 0.1)
    assert silent_from(samples) == pytest.approx(1.0)


def test_silent_from_faint_noise_counts_as_silence() -> None:
    assert silent_from(np.full(secs(1), SILENT_RMS / 2)) == 0.0


def test_loudest_window_finds_one_word_in_silence() -> None:
    samples = np.zeros(secs(2))
    samples[secs(1) : secs(1.05)] = 0.2
    assert loudest_window(samples) == pytest.approx(0.2)
