"""The demo's part of the HTTP API, there only where the demo community is."""

from typing import Any

from django.contrib.auth import login
from django.http import Http404, HttpRequest
from ninja import Router, Schema

from salon.accounts.callers import caller_of
from salon.accounts.faces import Face, PersonBody, face_of, person_body
from salon.accounts.models import Person
from salon.common.wire import refusals
from salon.demo.community import quiet_handles
from salon.demo.guests import create_guest
from salon.demo.seed import COMMUNITY

router = Router(tags=["demo"])


class DemoPerson(Face):
    bio: str


class DemoPeople(Schema):
    """People whom a newcomer can be."""

    people: list[DemoPerson]


class DemoSignIn(Schema):
    handle: str | None = None
    """One of the people of GET /demo; without it, somebody new."""


class DemoSignedIn(Schema):
    person: PersonBody


@router.get("/demo", response={200: DemoPeople, **refusals()})
def demo_people(request: HttpRequest) -> dict[str, Any]:
    people = Person.objects.filter(groups__name=COMMUNITY, handle__in=quiet_handles(), is_active=True).order_by("name")
    return {"people": [{**face_of(person), "bio": person.bio} for person in people]}


@router.post("/demo/sign-in", response={200: DemoSignedIn, **refusals()})
def demo_sign_in(request: HttpRequest, wanted: DemoSignIn) -> dict[str, Any]:
    person = _demo_person(wanted.handle) if wanted.handle else create_guest(caller_of(request).language)
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return {"person": person_body(person)}


def _demo_person(handle: str) -> Person:
    """Only a quiet one: the speakers are busy on their stages. Raises Http404, as for a handle that nobody has."""
    person = Person.objects.filter(groups__name=COMMUNITY, handle=handle, is_active=True).first()
    if person is None or handle not in quiet_handles():
        raise Http404
    return person
