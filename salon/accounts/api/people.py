from django.http import HttpRequest
from ninja import Router

from salon.accounts.access import access_person_by_handle
from salon.accounts.callers import caller_of
from salon.accounts.profiles import Profile, profile_of
from salon.common.wire import refusals

router = Router()


@router.get("/people/{handle}", response={200: Profile, **refusals(404)})
def person(request: HttpRequest, handle: str) -> Profile:
    """Somebody's profile."""
    return profile_of(access_person_by_handle(caller_of(request).person, handle))
