"""Every refusal has a status, and the page about the protocol has the same table."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from salon.api.statuses import STATUS_BY_CODE
from salon.common.errors import SalonError
from salon.common.paths import PACKAGE

PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"


def kinds_of(error: type[SalonError]) -> Iterator[type[SalonError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def test_every_error_of_every_app_has_a_status():
    for module in PACKAGE.glob("*/errors.py"):
        importlib.import_module(f"salon.{module.parent.name}.errors")
    codes = {kind.code for kind in kinds_of(SalonError) if hasattr(kind, "code")}
    assert len(codes) > 20
    assert codes - STATUS_BY_CODE.keys() == set()


def test_protocol_page_has_the_same_table():
    section = PROTOCOL.read_text().split("## 8. Errors")[1].split("## 9.")[0]
    documented = {
        code: int(status)
        for status, codes in re.findall(r"^\| (\d{3}) \| (.*) \|$", section, re.MULTILINE)
        for code in re.findall(r"`([a-z_]+)`", codes)
        if code != "field"
    }
    assert documented == STATUS_BY_CODE
