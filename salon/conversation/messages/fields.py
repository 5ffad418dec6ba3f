"""Fields that several commands have."""

from typing import Annotated

from pydantic import StringConstraints

from salon.rooms.messages.message import Fields

IdField = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{26}$")]


class OneQuestion(Fields):
    question: IdField
