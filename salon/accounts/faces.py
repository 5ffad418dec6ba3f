"""How a person looks to others: the `Face` shown small everywhere, and the `Person` of docs/protocol.md section 3."""

from typing_extensions import TypedDict  # pydantic reads no others before Python 3.12

from salon.accounts.models import Person


class Face(TypedDict):
    id: str
    handle: str
    name: str
    picture: str | None


class PersonBody(Face):
    languages: list[str]


def face_of(person: Person) -> Face:
    return {
        "id": person.id,
        "handle": person.handle,
        "name": person.name or person.handle,
        "picture": person.picture.url if person.picture else None,
    }


def person_body(person: Person) -> PersonBody:
    return {**face_of(person), "languages": person.languages}
