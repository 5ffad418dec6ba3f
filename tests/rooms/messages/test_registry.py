"""The registry of commands."""

import re
from pathlib import Path

from tests.rooms.messages.asking import OWN


def test_every_message_has_a_test_of_its_own():
    tests = {name for file in Path(__file__).parent.glob("test_*.py") for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M)}
    assert [name for name in OWN if f"test_{name}" not in tests] == []
