import pytest
from hypothesis import given
from hypothesis import strategies as st

from salon.conversation.domain.links import PINNED_MAX, Address, parse_address, require_may_pin
from salon.conversation.errors import TooManyLinks
from tests.conversation.domain.standings import MODERATOR, terms


@pytest.mark.parametrize(
    ("text", "url", "host"),
    [
        ("https://example.com", "https://example.com/", "example.com"),
        ("HTTP://EXAMPLE.com:80/a", "http://example.com/a", "example.com"),
        ("https://münchen.example/ö", "https://xn--mnchen-3ya.example/%C3%B6", "xn--mnchen-3ya.example"),
        # What browsers make of it, and not what a reader might: a backslash is a slash there, and a tab is nothing.
        ("https:\\\\evil.example\\@good.example/", "https://evil.example/@good.example/", "evil.example"),
        ("ht\ttps://exam\nple.com/", "https://example.com/", "example.com"),
        ("http://0x7f.1/", "http://127.0.0.1/", "127.0.0.1"),
        ("https://example.com/\u202egpj.exe", "https://example.com/%E2%80%AEgpj.exe", "example.com"),
    ],
)
def test_address_is_what_a_browser_would_open(text, url, host):
    assert parse_address(text) == Address(url, host)


@pytest.mark.parametrize(
    "text",
    [
        "javascript://example.com/%0aalert(1)",
        "https://good.example@evil.example/",
        "https://:secret@example.com/",
        "mailto:a@b.example",
        "x",
        "",
    ],
)
def test_address_that_nobody_is_led_to(text):
    assert parse_address(text) is None


@given(st.text(max_size=60).map(lambda text: f"https://{text}"))
def test_address_is_ascii_without_credentials_whatever_is_written(text):
    address = parse_address(text)
    if address is not None:
        assert address.url.isascii() and address.url.isprintable() and address.url.startswith(("http://", "https://"))
        assert address.url.split("://", 1)[1].startswith(address.host)
        assert parse_address(address.url) == address


def test_pinning_ends_at_three():
    require_may_pin(terms(), MODERATOR, pinned=PINNED_MAX - 1)
    with pytest.raises(TooManyLinks):
        require_may_pin(terms(), MODERATOR, pinned=PINNED_MAX)
