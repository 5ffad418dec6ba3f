"""Every target on inputs that Hypothesis makes, the same ones each time."""

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzzing.targets import TARGETS

short = settings(derandomize=True, max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
_messages = st.fixed_dictionaries(
    {"type": st.sampled_from(["hello", "ping", "watch", "unwatch", "command", "quality", "other"]), "id": st.integers() | st.floats()},
    optional=dict.fromkeys(
        ("ticket", "stream", "after", "room", "name", "data", "key", "seq", "session", "period_secs", "packets", "lost_share"), _values
    ),
)
_texts = st.text(st.characters(codec=None), max_size=200).map(lambda text: text.encode(errors="surrogatepass"))


@short
@given(data=st.binary(max_size=500) | _messages.map(lambda message: json.dumps(message).encode()))
@example(data=b'{"type": "watch", "id": 1, "stream": "\\ud800"}')
@example(data=b'{"type": "command", "id": 1, "room": "r", "name": "n", "data": {"text": ["\\udfff"]}}')
@example(data=b'{"type": "ping", "id": 1e999}')
@example(data=b"[" * 100_000)
def test_messages_of_sockets(data: bytes) -> None:
    TARGETS["gateway_message"](data)


@pytest.mark.parametrize("name", ["engine_text", "handle", "people_text", "signed"])
@short
@given(data=st.binary(max_size=300) | _texts)
@example(data="\ud800".encode(errors="surrogatepass"))
@example(data=b"\0")
def test_texts_from_outside(name: str, data: bytes) -> None:
    TARGETS[name](data)
