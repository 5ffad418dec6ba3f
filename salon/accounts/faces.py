"""How a person looks to others: the `Face` shown small everywhere, and the fuller forms of docs/protocol.md section 3."""

from datetime import datetime

from django.utils import timezone
from typing_extensions import TypedDict  # pydantic reads no others before Python 3.12

from salon.accounts.models import Person
from salon.accounts.queries import invitations_left


class Face(TypedDict):
    id: str
    handle: str
    name: str
    picture: str | None


class PersonBody(Face):
    languages: list[str]


class Profile(PersonBody):
    bio: str
    inviter: Face | None
    joined_at: datetime


class MyProfile(Profile):
    email: str | None
    invitations_left: int


def face_of(person: Person) -> Face:
    return {
        "id": person.id,
        "handle": person.handle,
        "name": person.name or person.handle,
        "picture": person.picture.url if person.picture else None,
    }


def person_body(person: Person) -> PersonBody:
    return {**face_of(person), "languages": person.languages}


def profile_of(person: Person) -> Profile:
    return {
        **person_body(person),
        "bio": person.bio,
        "inviter": face_of(person.inviter) if person.inviter and person.inviter.is_active else None,
        "joined_at": person.joined_at,
    }


def my_profile_of(person: Person) -> MyProfile:
    return {**profile_of(person), "email": person.email, "invitations_left": invitations_left(person, timezone.now())}
