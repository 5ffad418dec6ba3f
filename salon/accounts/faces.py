"""How a person looks to everybody else, wherever they are shown small."""

from typing import TypedDict

from salon.accounts.models import Person


class Face(TypedDict):
    id: str
    handle: str
    name: str
    picture: str | None


def face_of(person: Person) -> Face:
    return {
        "id": person.id,
        "handle": person.handle,
        "name": person.name or person.handle,
        "picture": person.picture.url if person.picture else None,
    }
