import base64
import json

import pytest

from salon.common.signing import Grant, SignatureExpired, SignatureRefused, Ticket, read_grant, read_ticket, sign_grant, sign_ticket

KEY = "k" * 40
TICKET: Ticket = {"id": "t1", "person": "p1", "visitor": None, "language": "fr", "expires": 1_000}
GRANT: Grant = {
    "id": "g1", "session": "s1", "room": "r1", "person": "p1", "direction": "listen", "epoch": 3, "expires": 1_000,
    "face": {"id": "p1", "handle": "zoé", "name": "Zoé", "picture": None},
}  # fmt: skip


def test_ticket_and_grant_come_back_as_signed():
    assert read_ticket(sign_ticket(TICKET, KEY), KEY, now=999.9) == TICKET
    assert read_grant(sign_grant(GRANT, KEY), KEY, now=0) == GRANT


def test_wire_form_is_canonical_json_and_hmac_sha256():
    # Worked out with: printf '%s' BODY | openssl dgst -sha256 -hmac KEY
    body, signature = sign_ticket(TICKET, KEY).split(".")
    assert base64.urlsafe_b64decode(body + "==") == b'{"expires":1000,"id":"t1","language":"fr","person":"p1","visitor":null}'
    assert len(signature) == 43


def test_expired_at_the_second_it_names():
    with pytest.raises(SignatureExpired):
        read_ticket(sign_ticket(TICKET, KEY), KEY, now=1_000)


def test_another_installations_key_is_refused():
    with pytest.raises(SignatureRefused):
        read_ticket(sign_ticket(TICKET, KEY), "x" * 40, now=0)


def test_ticket_is_no_grant_even_with_a_grants_fields():
    with pytest.raises(SignatureRefused):
        read_grant(sign_ticket(GRANT, KEY), KEY, now=0)  # type: ignore[arg-type]


def test_changed_body_is_refused():
    body, _, signature = sign_ticket(TICKET, KEY).partition(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "==")) | {"person": "p2"}
    forged = base64.urlsafe_b64encode(json.dumps(changed, sort_keys=True, separators=(",", ":")).encode()).decode().rstrip("=")
    with pytest.raises(SignatureRefused):
        read_ticket(f"{forged}.{signature}", KEY, now=0)


@pytest.mark.parametrize("garbage", ["", ".", "a.b", "é.é", "\x00", "x" * 10_000, "a.b.c"])
def test_garbage_is_refused(garbage):
    with pytest.raises(SignatureRefused):
        read_ticket(garbage, KEY, now=0)


def test_message_that_lacks_a_field_is_refused():
    with pytest.raises(SignatureRefused):
        read_ticket(sign_ticket({"expires": 1_000}, KEY), KEY, now=0)  # type: ignore[typeddict-item]
