"""Where the engine listens, so that an answer comes from the address that was asked."""

import pytest

from salon.relay.addresses import bind_address

EVERYWHERE = "0.0.0.0"  # noqa: S104  (compared, not bound)


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (["127.0.0.1"], "127.0.0.1"),
        (["203.0.113.7"], EVERYWHERE),  # a translator's address, not this machine's
        (["127.0.0.1", "203.0.113.7"], EVERYWHERE),
        (["203.0.113.7", "2001:db8::7"], "::"),
        ([], EVERYWHERE),
    ],
    ids=["own", "translated", "several", "both families", "none"],
)
def test_bind_address_is_the_one_offered_if_it_is_ours_else_all(offered: list[str], expected: str) -> None:
    assert bind_address(offered) == expected
