"""What a command from a client is: a name, fields, and one action. docs/protocol.md section 4."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from ninja import Schema
from pydantic import ConfigDict, StringConstraints

from salon.accounts.callers import Caller
from salon.rooms.actions.acted import Acted

__all__ = ["Acted", "Fields", "IdField", "Message", "NoFields", "OnePerson", "OneRequest", "PersonIdField"]

IdField = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{26}$")]
PersonIdField = IdField


class Fields(Schema):
    """A command's fields. Unknown ones are refused: a misspelt field must not pass for one left out."""

    model_config = ConfigDict(extra="forbid")


class NoFields(Fields):
    """A command that is only its name."""


class OnePerson(Fields):
    """A command about one person."""

    person: PersonIdField


class OneRequest(Fields):
    """A command about what waits for a second moderator."""

    request: IdField


F = TypeVar("F", bound=Fields)


@dataclass(frozen=True, slots=True)
class Message(Generic[F]):
    """act: carries the command out and returns the number of the room's stream after it, or that and what was made.

    summary: a line for OpenAPI.
    """

    name: str
    fields: type[F]
    act: Callable[[Caller, str, F], int | Acted]
    summary: str
