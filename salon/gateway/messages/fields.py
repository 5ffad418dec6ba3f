"""Reading the fields of a client's message."""

import math
from collections.abc import Mapping
from typing import Any

Number = int | float
_LARGEST = 2**63
"""Python's integers have no end, but what reads them elsewhere does."""


class FieldInvalid(Exception):
    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Fields:
    """A JSON object; every method raises FieldInvalid for a missing field or another type."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def number(self, name: str) -> Number:
        value = self._values.get(name)
        # In this order: isfinite cannot take an integer that no float can hold.
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) >= _LARGEST or not math.isfinite(value):
            raise FieldInvalid(name)
        return value

    def number_between(self, name: str, least: float, most: float) -> float:
        value = self.number(name)
        if not least <= value <= most:
            raise FieldInvalid(name)
        return value

    def optional_number_between(self, name: str, least: float, most: float) -> float | None:
        return None if self._values.get(name) is None else self.number_between(name, least, most)

    def text(self, name: str, *, longest: int = 256) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or len(value) > longest:
            raise FieldInvalid(name)
        return value

    def optional_text(self, name: str, *, longest: int = 256) -> str | None:
        return None if self._values.get(name) is None else self.text(name, longest=longest)

    def optional_count(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
            raise FieldInvalid(name)
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """An absent one is empty."""
        value = self._values.get(name, {})
        if not isinstance(value, dict):
            raise FieldInvalid(name)
        return value
