"""The root of every error that a person may see. Each app has its family in its own `errors.py`.

HTTP statuses and close codes are not here: the edge assigns them by code in one table (`salon/api/statuses.py`).
"""

from typing import ClassVar

from django.utils.functional import Promise


class SalonError(Exception):
    """A refusal with a stable `code` and a translated sentence. Nothing has been changed when one is raised.

    field: the input at fault, or None. retry_after_secs: set where asking again later can succeed.
    """

    code: ClassVar[str]
    message: ClassVar[str | Promise]
    retry_after_secs: ClassVar[int | None] = None

    def __init__(self, *, message: str | Promise | None = None, field: str | None = None) -> None:
        self.sentence = message if message is not None else self.message
        self.field = field
        super().__init__(self.code)
