from bench.mouth_to_ear import matched


def test_each_tone_is_matched_with_its_own_arrival():
    assert matched([1000, 1500, 2000], [1070, 1572, 2069.5]) == [70, 72, 69.5]


def test_tone_that_was_not_heard_takes_no_other_tones_arrival():
    assert matched([1000, 1500, 2000], [1070, 2071]) == [70, 71]


def test_what_was_heard_before_the_first_tone_counts_for_none():
    assert matched([1000], [999]) == []


def test_echo_of_a_tone_does_not_count_again():
    assert matched([1000, 1500], [1070, 1100, 1570]) == [70, 70]
