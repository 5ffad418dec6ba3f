"""What reads bytes from outside in Python: each target takes any bytes, and raises if a promise is broken.

`test_targets.py` runs them on Hypothesis's inputs and on the corpora, `scripts/fuzz-python` on inputs that libFuzzer makes.
"""

import contextlib
import functools
import json
from collections.abc import Callable
from dataclasses import asdict

from salon.accounts.domain import handles
from salon.common.errors import Invalid, TooLarge
from salon.common.json_sizes import MOST_VALUES, holds_too_many_values
from salon.common.signing import SignatureRefused, read_grant
from salon.common.text import clean_line, clean_text
from salon.conversation.domain.links import parse_address
from salon.gateway.connection import Connection, MessageInvalid, Refused
from salon.gateway.frames import json_bytes
from salon.gateway.messages.hello import Hello
from salon.gateway.tickets import TicketDesk, TicketRefused
from salon.relay._engine import Engine, OfferRefused, SessionUnknown, Speaker
from salon.relay.policies import PolicyBook, read_policy
from salon.rooms.errors import InvalidSdp
from salon.rooms.sdp import LONGEST, names_credentials, read_sdp

_KEY = "a key that nobody outside has"
_OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=sendrecv
a=rtcp-mux
a=setup:actpass
a=ice-ufrag:peer
a=ice-pwd:a+password+of+the+peer
a=fingerprint:sha-256 {}
a=rtpmap:111 opus/48000/2
""".format(":".join(["AB"] * 32))


def gateway_message(data: bytes) -> None:
    """What a socket says is a message that can be answered and passed on, or is refused: before a hello and after one."""
    text = data.decode(errors="replace")
    for is_greeted in (False, True):
        connection = Connection(now=0)
        if is_greeted:
            connection.greeted(now=0)
        try:
            message = connection.receive_text(text, now=0)
        except Refused:
            continue
        except MessageInvalid as error:
            assert is_greeted
            json_bytes({"reply_to": error.reply_to, "field": error.field})
            continue
        assert isinstance(message, Hello) is not is_greeted
        json_bytes(asdict(message))


def signed(data: bytes) -> None:
    """Nobody without the key makes a ticket or a grant."""
    text = _text(data)
    for read in (TicketDesk(_KEY).admit, lambda signed, *, now: read_grant(signed, _KEY, now=now)):
        try:
            read(text, now=0)
        except (TicketRefused, SignatureRefused):
            continue
        raise AssertionError("taken without a signature")


def handle(data: bytes) -> None:
    """A handle has one skeleton, and the skeleton of a skeleton is itself."""
    text = _text(data)
    skeleton = handles.skeleton(text)
    assert handles.skeleton(skeleton) == skeleton
    assert handles.is_reserved(skeleton) is handles.is_reserved(text)
    if handles.is_well_formed(text):
        assert text.isascii()
        assert 3 <= len(text) <= 24
        assert skeleton


def people_text(data: bytes) -> None:
    """What is kept of a text can be written, is no longer than allowed, and stays as it is when it is cleaned again."""
    text = _text(data)
    for clean in (clean_line, clean_text):
        try:
            cleaned = clean(text, 100, field="name")
        except Invalid:
            continue
        cleaned.encode()
        assert len(cleaned) <= 100
        assert clean(cleaned, 100, field="name") == cleaned


def link(data: bytes) -> None:
    """What is kept as a link leads to a host by http or https, for a browser as for us, and stays as it is when it is read again."""
    address = parse_address(_text(data))
    if address is None:
        return
    assert address.url.isascii()
    assert address.url.startswith(("http://", "https://"))
    assert parse_address(address.url) == address


def body(data: bytes) -> None:
    """A JSON body is counted as a whole, however deep or wide it is."""
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        return
    assert holds_too_many_values(parsed) is (_values_in(parsed) > MOST_VALUES)


def _values_in(parsed: object) -> int:
    inner = list(parsed.values()) if isinstance(parsed, dict) else parsed if isinstance(parsed, list) else []
    return len(inner) + sum(map(_values_in, inner))


def sdp_body(data: bytes) -> None:
    """An offer is handed on as it came, or refused; whatever the engine says of it."""
    try:
        text = read_sdp(data)
    except (InvalidSdp, TooLarge):
        return
    assert text.encode() == data
    assert len(data) <= LONGEST
    if names_credentials(text):
        assert "ice-ufrag" in text
    with contextlib.suppress(OfferRefused):
        _engine().open_session(session="s", room="r", person="p", direction="listen", offer=text)
    _engine().close_room("r", "deleted")


def policy(data: bytes) -> None:
    """What web says of a room is a policy or is refused by errors that the caller expects."""
    try:
        message = json.loads(data)
        told = read_policy(message)
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    assert told.phase in ("live", "ended")
    assert PolicyBook().accept(told, now=0)


def engine_text(data: bytes) -> None:
    """The engine raises what its stub says for any text and bytes, and goes on."""
    text, engine = _text(data), _engine()
    for direction in ("listen", "speak"):
        for changed in (text, _OFFER.replace("peer\n", f"{text}\n", 1), _OFFER + text):
            with contextlib.suppress(OfferRefused, UnicodeEncodeError):
                engine.open_session(session="s", room="r", person="p", direction=direction, offer=changed)
    with contextlib.suppress(OfferRefused):
        engine.open_session(session="s", room="r", person="p", direction="listen", offer=_OFFER, tag=data)
    with contextlib.suppress(OfferRefused, ValueError):  # UnicodeEncodeError is one
        engine.open_session(session="s", room="r", person="p", direction=text, offer=_OFFER)  # type: ignore[arg-type]
    for fragment in (text, f"a=ice-ufrag:{text}\r\na=ice-pwd:a+password+of+the+peer\r\n"):
        with contextlib.suppress(OfferRefused, SessionUnknown, UnicodeEncodeError):
            engine.restart_ice("s", fragment)
    with contextlib.suppress(SessionUnknown, UnicodeEncodeError):
        engine.restart_ice(text + "!", "")
    engine.close_room("r", "deleted")
    with contextlib.suppress(OfferRefused, UnicodeEncodeError):
        engine.open_session(session=text, room=text, person=text, direction="listen", offer=_OFFER)
        assert [(truth.session, truth.person) for truth in engine.truth(text)] == [(text, text)]
        engine.set_stage(text, [Speaker(text, 1, False)])
        assert engine.close_session(text, text)
    assert [event.reason for event in engine.poll_events(0) if hasattr(event, "reason") and event.reason == "internal"] == []
    assert engine.truth() == []


@functools.cache
def _engine() -> Engine:
    return Engine(port=0, addresses=["127.0.0.1"], bind="127.0.0.1")


def _decodes(data: bytes) -> bool:
    try:
        data.decode(errors="surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _text(data: bytes) -> str:
    """Half surrogates included, as JSON's escapes can bring them."""
    return data.decode(errors="surrogatepass") if _decodes(data) else data.decode("latin-1")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "body": body,
    "engine_text": engine_text,
    "gateway_message": gateway_message,
    "handle": handle,
    "link": link,
    "people_text": people_text,
    "policy": policy,
    "sdp_body": sdp_body,
    "signed": signed,
}
