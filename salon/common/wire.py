"""Shapes on the wire that every app's API shares."""

from ninja import Schema
from pydantic import BaseModel


class Body(BaseModel):
    """Base of every JSON body that a request carries. Ninja's own Schema would take any JSON value for an object without fields."""


class ErrorBody(Schema):
    """Every refusal's body; docs/protocol.md section 8."""

    code: str
    message: str
    field: str | None


def refusals(*statuses: int) -> dict[int, type[ErrorBody]]:
    """For an operation's `response=`: the statuses it refuses with, beside those any operation may answer.

    400 (malformed request), 401 (a token that is not good), 403 (CSRF) and 413 are always among them.
    """
    return dict.fromkeys((400, 401, 403, 413, *statuses), ErrorBody)
