"""The binding: values, errors and lifetimes, without any peer."""

import socket
from collections.abc import Iterator

import pytest

from salon.relay._engine import Engine, EngineError, OfferRefused, SessionClosed, SessionUnknown, Speaker
from tests.relay.engine_peers import start_engine

PORT = 18708
FINGERPRINT = ":".join(["AB"] * 32)
OFFER = f"""v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=recvonly
a=rtcp-mux
a=setup:actpass
a=ice-ufrag:peer
a=ice-pwd:a+password+of+the+peer
a=fingerprint:sha-256 {FINGERPRINT}
a=rtpmap:111 opus/48000/2
"""
FRAGMENT = "a=ice-ufrag:peer2\r\na=ice-pwd:another+password+of+the+peer\r\n"


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = start_engine(PORT, addresses=["127.0.0.1", "::1"])
    try:
        yield engine
    finally:
        engine.close()


def test_answer_offers_every_address_on_the_one_port_by_udp_and_tcp(engine: Engine) -> None:
    opened = engine.open_session(session="s1", room="r", person="bob", direction="listen", offer=OFFER)
    assert opened.session == "s1"
    candidates = [line.split() for line in opened.answer.splitlines() if line.startswith("a=candidate")]
    assert [(words[2], *words[4:6]) for words in candidates] == [
        ("udp", "127.0.0.1", str(PORT)),
        ("udp", "::1", str(PORT)),
        ("tcp", "127.0.0.1", str(PORT)),
        ("tcp", "::1", str(PORT)),
    ]
    assert opened.etag.startswith('"')


def test_offer_that_cannot_be_used_is_refused_with_a_sentence(engine: Engine) -> None:
    with pytest.raises(OfferRefused) as refused:
        engine.open_session(session="s1", room="r", person="bob", direction="speak", offer=OFFER)
    assert refused.value.args == ("The offer has no audio section with direction sendonly or sendrecv.",)
    assert engine.truth() == []


def test_direction_is_one_of_two_words(engine: Engine) -> None:
    with pytest.raises(ValueError, match="'listen' or 'speak'"):
        engine.open_session(session="s1", room="r", person="bob", direction="both", offer=OFFER)  # type: ignore[arg-type]


def test_truth_of_a_session_that_has_not_connected(engine: Engine) -> None:
    engine.open_session(session="s1", room="r", person="bob", direction="listen", offer=OFFER)
    engine.open_session(session="s2", room="other", person="bob", direction="listen", offer=OFFER)
    [truth] = engine.truth("r")
    assert (truth.session, truth.room, truth.person, truth.direction) == ("s1", "r", "bob", "listen")
    assert (truth.connected, truth.may_be_heard, truth.last_in_secs, truth.last_out_secs) == (False, False, None, None)
    assert (truth.packets_in, truth.packets_out, truth.packets_dropped) == (0, 0, 0)
    assert {truth.session for truth in engine.truth()} == {"s1", "s2"}
    assert (engine.stats().sessions, engine.stats().rooms) == (2, 2)


def test_newer_session_takes_over(engine: Engine) -> None:
    engine.open_session(session="s1", room="r", person="bob", direction="listen", offer=OFFER)
    engine.open_session(session="s2", room="r", person="bob", direction="listen", offer=OFFER)
    [closed] = engine.poll_events(5)
    assert isinstance(closed, SessionClosed)
    assert (closed.session, closed.room, closed.person, closed.direction, closed.reason) == ("s1", "r", "bob", "listen", "taken_over")


def test_close_says_whether_there_was_such_a_session(engine: Engine) -> None:
    engine.open_session(session="s1", room="r", person="bob", direction="listen", offer=OFFER)
    assert engine.close_session("s1", "deleted")
    assert not engine.close_session("s1", "deleted")
    assert [event.reason for event in engine.poll_events(5) if isinstance(event, SessionClosed)] == ["deleted"]
    assert engine.poll_events(0) == []


def test_closing_a_person_or_room_counts_sessions(engine: Engine) -> None:
    for number, person in enumerate(["ada", "bob", "eve"]):
        engine.open_session(session=f"s{number}", room="r", person=person, direction="listen", offer=OFFER)
    assert engine.close_person("r", "ada", "removed") == 1
    assert engine.close_person("elsewhere", "bob", "removed") == 0
    assert engine.close_room("r", "room_ended") == 2
    assert [event.reason for event in engine.poll_events(5) if isinstance(event, SessionClosed)] == ["removed", "room_ended", "room_ended"]


def test_ice_restart_changes_credentials_and_etag(engine: Engine) -> None:
    opened = engine.open_session(session="s1", room="r", person="bob", direction="listen", offer=OFFER)
    fragment, etag = engine.restart_ice("s1", FRAGMENT)
    assert etag != opened.etag
    [ufrag] = [line for line in fragment.splitlines() if line.startswith("a=ice-ufrag:")]
    assert ufrag not in opened.answer


def test_ice_restart_is_refused_without_credentials_or_session(engine: Engine) -> None:
    engine.open_session(session="s1", room="r", person="bob", direction="listen", offer=OFFER)
    with pytest.raises(OfferRefused) as refused:
        engine.restart_ice("s1", "a=end-of-candidates\r\n")
    assert refused.value.args == ("no new credentials",)
    with pytest.raises(SessionUnknown):
        engine.restart_ice("s2", FRAGMENT)


def test_speaker_is_a_value(engine: Engine) -> None:
    speaker = Speaker("ada", 2**32 - 1, True)
    assert (speaker.person, speaker.csrc, speaker.muted) == ("ada", 2**32 - 1, True)
    engine.set_stage("r", [speaker])
    assert engine.stats().rooms == 1
    engine.set_stage("r", [])
    assert engine.stats().rooms == 0
    with pytest.raises(ValueError, match="csrc"):
        Speaker("ada", 0, True)
    with pytest.raises(OverflowError):
        Speaker("ada", 2**32, True)


def test_taken_port_is_an_error_with_its_number() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=str(port)):
            start_engine(port)


@pytest.mark.parametrize(
    "options", [{"addresses": []}, {"addresses": ["localhost"]}, {"bind": "everywhere"}, {"threads": 0}, {"threads": 65}]
)
def test_senseless_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(EngineError):
        start_engine(**{"port": PORT} | options)


def test_closed_engine_frees_the_port_and_refuses_further_calls() -> None:
    engine = start_engine(PORT)
    engine.open_session(session="s1", room="r", person="bob", direction="listen", offer=OFFER)
    engine.close()
    engine.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", PORT))
    with pytest.raises(EngineError):
        engine.stats()
    with pytest.raises(EngineError):
        engine.open_session(session="s2", room="r", person="bob", direction="listen", offer=OFFER)
    last = engine.poll_events(0)
    assert [event.reason for event in last if isinstance(event, SessionClosed)] == ["deleted"], "what happened is still told"
    with pytest.raises(EngineError):
        engine.poll_events(0)


def test_noise_on_the_port_is_dropped_and_counted(engine: Engine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for first in (0, 22, 128, 200, 255):
            stranger.sendto(bytes([first]) * 100, ("127.0.0.1", PORT))
        stranger.settimeout(0)
        while engine.stats().packets_in < 5:
            engine.poll_events(0.01)
        with pytest.raises(BlockingIOError):
            stranger.recv(1)
    assert (engine.stats().packets_dropped, engine.stats().packets_out) == (5, 0)
