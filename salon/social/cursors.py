"""Where a page of a list ended, as an opaque text: the next page begins behind it, whoever comes or goes meanwhile."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from salon.common.errors import Invalid
from salon.common.ids import is_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Microseconds until the year 9999, and a point, and an id.
_LONGEST = 18 + 1 + 26


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last one shown: since when they are in the list, to the microsecond, and who they are."""

    at: datetime
    person: str

    def encode(self) -> str:
        """URL-safe, without padding."""
        text = f"{(self.at - _EPOCH) // _MICROSECOND}.{self.person}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, *, field: str) -> Self:
        """Raises Invalid, naming `field`, for whatever `encode` did not write."""
        try:
            decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            micros, _, person = decoded.decode("ascii").partition(".")
            if len(micros) + 1 + len(person) > _LONGEST or not micros.isdecimal() or not is_id(person):
                raise Invalid(field=field)
            return cls(_EPOCH + int(micros) * _MICROSECOND, person)
        except (ValueError, OverflowError) as error:
            raise Invalid(field=field) from error
