"""Every target on inputs that Hypothesis makes, the same ones each time, and on what libFuzzer found (scripts/fuzz-python)."""

import json
from pathlib import Path

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


_policies = st.fixed_dictionaries(
    {"phase": st.sampled_from(["live", "ended"]), "room": _values, "version": _values, "speakers": _values, "epochs": _values}
)
_CORPORA = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_before(name: str) -> None:
    inputs = sorted((_CORPORA / name).iterdir())
    assert inputs
    for path in inputs:
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", ["body", "policy"])
@short
@given(data=st.binary(max_size=300) | (_values | _policies).map(lambda value: json.dumps(value).encode()))
@example(data=b"[" * 100_000)
@example(data=b"[" + b"0," * 1_000 + b"[]]")
@example(data=b'{"phase": "live", "room": "r", "version": 1e999, "speakers": [], "epochs": {}}')
@example(data=b'{"phase": "live", "room": "r", "version": 1, "speakers": [], "epochs": []}')
def test_json_from_outside(name: str, data: bytes) -> None:
    TARGETS[name](data)


@short
@given(data=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@example(data=b"v=0\r\n\0")
@example(data=b"v" * (32 * 1024 + 1))
def test_descriptions_from_outside(data: bytes) -> None:
    TARGETS["sdp_body"](data)


@short
@given(data=st.binary(max_size=500) | _messages.map(lambda message: json.dumps(message).encode()))
@example(data=b'{"type": "watch", "id": 1, "stream": "\\ud800"}')
@example(data=b'{"type": "command", "id": 1, "room": "r", "name": "n", "data": {"text": ["\\udfff"]}}')
@example(data=b'{"type": "ping", "id": 1e999}')
@example(data=b"[" * 100_000)
def test_messages_of_sockets(data: bytes) -> None:
    TARGETS["gateway_message"](data)


@pytest.mark.parametrize("name", ["engine_text", "handle", "link", "people_text", "signed"])
@short
@given(data=st.binary(max_size=300) | _texts)
@example(data="\ud800".encode(errors="surrogatepass"))
@example(data=b"\0")
def test_texts_from_outside(name: str, data: bytes) -> None:
    TARGETS[name](data)
