"""Reading JSON bodies."""

from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from salon.common.json_sizes import holds_too_many_values


class BodyParser(Parser):
    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Raises ValueError, which is answered as a body that cannot be read."""
        body = super().parse_body(request)
        if holds_too_many_values(body):
            raise ValueError("too many values")
        return body
