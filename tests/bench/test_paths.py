"""The bench of bad paths: what it makes of the shipped proxy configuration, and what counts as a gap."""

from typing import Any

import pytest

from bench.installation import ROOT
from bench.paths.proxy import configured
from bench.paths.run import gap_of
from bench.programs import BenchFailed

SHIPPED = (ROOT / "deploy" / "haproxy.cfg").read_text()


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if not line.lstrip().startswith("#")]


def test_shipped_configuration_serves_other_addresses() -> None:
    here = configured(SHIPPED, "198.18.0.1", 18443, 18004)
    changed = [line for line in lines(here) if line not in lines(SHIPPED)]
    assert changed == ["bind 198.18.0.1:443", "server web 127.0.0.1:18443 send-proxy-v2", "server sound 198.18.0.1:18004"]


def test_configuration_that_lost_a_port_is_refused() -> None:
    with pytest.raises(BenchFailed, match=r"no single 127\.0\.0\.1:8443"):
        configured(SHIPPED.replace("127.0.0.1:8443", "127.0.0.1:8444"), "198.18.0.1", 18443, 18004)


@pytest.mark.parametrize(
    ("began", "gap"),
    [([], 0.0), ([1_900.5], 900.5), ([1_200, 1_450, 2_300], 1_300.0)],
)
def test_gap_lasts_until_the_sound_stays(began: list[Any], gap: float) -> None:
    assert gap_of(1_000.0, began) == gap
