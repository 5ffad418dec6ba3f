"""The way around the UDP stack, as the media process asks for it; media/driver tests what it does."""

from salon.relay._engine import Engine

PORT = 18719


def test_engine_that_cannot_go_around_the_udp_stack_says_why_and_runs() -> None:
    engine = Engine(port=PORT, addresses=["127.0.0.1"], bind="127.0.0.1", bypass="salon-none")
    try:
        refused = engine.bypass_refused()
        assert refused is not None and refused.startswith("Sound cannot be sent as frames over salon-none: ")
        assert engine.stats().bypassed == 0
    finally:
        engine.close()


def test_engine_that_was_not_asked_to_has_nothing_to_say() -> None:
    engine = Engine(port=PORT, addresses=["127.0.0.1"], bind="127.0.0.1")
    try:
        assert engine.bypass_refused() is None
    finally:
        engine.close()
