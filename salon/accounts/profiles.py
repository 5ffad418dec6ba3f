"""A person's whole profile, as others and as they themselves see it; docs/protocol.md section 3."""

from datetime import datetime

from django.utils import timezone

from salon.accounts.faces import Face, PersonBody, face_of, person_body
from salon.accounts.models import Person
from salon.accounts.queries import invitations_left


class Profile(PersonBody):
    bio: str
    inviter: Face | None
    joined_at: datetime


class MyProfile(Profile):
    email: str | None
    invitations_left: int


def profile_of(person: Person) -> Profile:
    return {
        **person_body(person),
        "bio": person.bio,
        "inviter": face_of(person.inviter) if person.inviter and person.inviter.is_active else None,
        "joined_at": person.joined_at,
    }


def my_profile_of(person: Person) -> MyProfile:
    return {**profile_of(person), "email": person.email, "invitations_left": invitations_left(person, timezone.now())}
