import pytest

from salon.worker.attendance import GRACE_SECS, NODE_SILENCE_SECS, Attendance

ANN, BEN = ("room", "ann"), ("room", "ben")
LISTEN, SPEAK = "listen", "speak"
# Past the time in which a node that nobody has heard of yet might still speak up.
START = NODE_SILENCE_SECS


@pytest.fixture
def attendance():
    return Attendance(now=0.0)


def roster(listen=(), speak=()):
    return {"room": {"listen": list(listen), "speak": list(speak)}}


def test_who_is_in_a_roster_is_connected(attendance):
    attendance.hear_roster("node", roster(listen=["ann"], speak=["ben"]), START)
    assert attendance.connected() == {ANN, BEN}
    assert (attendance.has(ANN, LISTEN), attendance.has(ANN, SPEAK), attendance.has(BEN, SPEAK)) == (True, False, True)
    assert attendance.listeners() == {"room": {"ann"}}


def test_nobody_is_gone_before_the_grace_time(attendance):
    attendance.hear_connected("node", ANN, LISTEN, START)
    attendance.hear_closed("node", ANN, LISTEN, "peer_closed", START + 1)
    attendance.hear_roster("node", {}, START + 5)
    assert attendance.gone(START + 1 + GRACE_SECS - 0.01) == []
    assert attendance.gone(START + 1 + GRACE_SECS) == [ANN]


def test_coming_back_within_the_grace_time_counts_as_never_gone(attendance):
    attendance.hear_connected("node", ANN, LISTEN, START)
    attendance.hear_closed("node", ANN, LISTEN, "peer_closed", START)
    attendance.hear_connected("other node", ANN, LISTEN, START + 9)
    attendance.hear_roster("node", {}, START + 9)
    assert attendance.gone(START + 15) == []


def test_silence_was_waited_for_already(attendance):
    attendance.hear_connected("node", ANN, LISTEN, START)
    attendance.hear_closed("node", ANN, LISTEN, "timed_out", START + 1)
    assert attendance.gone(START + 1) == [ANN]


def test_one_session_of_two_is_enough(attendance):
    attendance.hear_connected("node", ANN, LISTEN, START)
    attendance.hear_connected("node", ANN, SPEAK, START)
    attendance.hear_closed("node", ANN, LISTEN, "timed_out", START + 1)
    assert attendance.gone(START + 15) == []
    assert attendance.is_connected(ANN)


def test_a_session_that_was_taken_over_does_not_end_anybodys_presence(attendance):
    attendance.hear_connected("node", ANN, LISTEN, START)
    attendance.hear_closed("node", ANN, LISTEN, "taken_over", START + 1)
    assert attendance.is_connected(ANN)


def test_a_roster_without_somebody_starts_their_grace_time(attendance):
    attendance.hear_roster("node", roster(listen=["ann", "ben"]), START)
    attendance.hear_roster("node", roster(listen=["ben"]), START + 5)
    attendance.hear_roster("node", roster(listen=["ben"]), START + 10)
    assert attendance.gone(START + 5 + GRACE_SECS) == [ANN]


def test_a_silent_node_is_believed_for_twenty_seconds(attendance):
    attendance.hear_roster("node", roster(listen=["ann"]), START)
    attendance.hear_roster("other", roster(listen=["ben"]), START + 20)
    assert attendance.gone(START + NODE_SILENCE_SECS) == []
    assert attendance.is_connected(ANN)
    assert attendance.gone(START + NODE_SILENCE_SECS + 0.1) == []
    assert not attendance.is_connected(ANN)
    assert attendance.gone(START + NODE_SILENCE_SECS + 0.1 + GRACE_SECS) == [ANN]


def test_after_a_start_nobody_is_gone_before_every_node_could_speak_up(attendance):
    attendance.expect([ANN, BEN], 0.0)
    assert attendance.gone(NODE_SILENCE_SECS - 0.1) == []
    attendance.hear_roster("node", roster(listen=["ben"]), NODE_SILENCE_SECS - 0.1)
    assert attendance.gone(NODE_SILENCE_SECS) == [ANN]


def test_nobodys_time_runs_while_the_bus_is_away(attendance):
    attendance.hear_roster("node", roster(listen=["ann"]), START)
    attendance.hear_closed("node", ANN, LISTEN, "timed_out", START)
    for second in range(60):
        attendance.hear_nothing(START + second)
    assert attendance.gone(START + 59 + NODE_SILENCE_SECS - 0.1) == []
    assert attendance.gone(START + 59 + NODE_SILENCE_SECS) == [ANN]


def test_gone_names_somebody_until_they_are_forgotten(attendance):
    attendance.expect([ANN], START)
    assert attendance.gone(START + 30) == attendance.gone(START + 31) == [ANN]
    attendance.forget(ANN)
    assert attendance.gone(START + 32) == []
