"""Who makes a request: a person by session or access token, or a visitor by cookie.

The API's router asks this for every request before any operation runs, so a bad token or a forged form is refused
everywhere, also by operations that do not look at their caller.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import translation

from salon.accounts.actions.tokens import authenticate_token
from salon.accounts.errors import CsrfFailed, SignInRequired
from salon.accounts.models import Person
from salon.common.ids import is_id, new_id

VISITOR_COOKIE = "visitor"
# A year: long enough that a listener who comes back is the same visitor, and browsers keep cookies hardly longer.
_VISITOR_MAX_AGE_SECS = 365 * 24 * 3600
_signer = signing.Signer(salt="visitor")


@dataclass(frozen=True, slots=True)
class Caller:
    """Exactly one of `person` and `visitor` (an id) is set."""

    person: Person | None
    visitor: str | None
    language: str
    """One of settings.LANGUAGES: what Accept-Language asks for, else the person's profile, else the installation's."""
    address: str = ""
    """Where the request comes from, for limits per address; empty where none counts."""


def caller_of(request: HttpRequest) -> Caller:
    """The request's caller, found once per request.

    Raises TokenInvalid for a bearer token that is not good (never a silent visitor), and CsrfFailed for a change asked for
    with a session but without the CSRF token. A new visitor's cookie is set by VisitorMiddleware.
    """
    caller: Caller | None = getattr(request, "_salon_caller", None)
    if caller is None:
        caller = _identify(request)
        request._salon_caller = caller  # type: ignore[attr-defined]
    return caller


def person_of(request: HttpRequest) -> Person:
    """The person who asks. Raises SignInRequired for a visitor, and what caller_of raises."""
    person = caller_of(request).person
    if person is None:
        raise SignInRequired
    return person


def _identify(request: HttpRequest) -> Caller:
    person = _person_by_token(request) or _person_by_session(request)
    if person is None:
        return Caller(None, _visitor(request), translation.get_language() or settings.LANGUAGE_CODE)
    language = _language(request, person)
    translation.activate(language)  # LocaleMiddleware activates anew for every request, so this does not outlive ours.
    return Caller(person, None, language)


def _person_by_token(request: HttpRequest) -> Person | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return authenticate_token(secret.strip()) if scheme.lower() == "bearer" else None


def _person_by_session(request: HttpRequest) -> Person | None:
    if not isinstance(request.user, Person):
        return None
    # Ninja's views are exempt from the middleware's own check, because tokens and visitors need none.
    check = CsrfViewMiddleware(_any_view)
    request.csrf_processing_done = False  # type: ignore[attr-defined]
    check.process_request(request)
    if check.process_view(request, _any_view, (), {}) is not None:
        raise CsrfFailed
    return request.user


def _any_view(request: HttpRequest) -> HttpResponse:
    """Stands for the view, of which the check only asks whether it is exempt."""
    return HttpResponse()


def _language(request: HttpRequest, person: Person) -> str:
    if not request.headers.get("Accept-Language"):
        known = [code for code in person.languages if code in dict(settings.LANGUAGES)]
        if known:
            return str(known[0])
    return translation.get_language() or settings.LANGUAGE_CODE


def _visitor(request: HttpRequest) -> str:
    try:
        visitor = _signer.unsign(request.COOKIES.get(VISITOR_COOKIE, ""))
    except signing.BadSignature:
        visitor = ""
    if not is_id(visitor):
        visitor = new_id()
        request._salon_new_visitor = visitor  # type: ignore[attr-defined]
    return visitor


class VisitorMiddleware:
    """Gives a visitor the cookie that makes them the same one next time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        visitor: str | None = getattr(request, "_salon_new_visitor", None)
        if visitor is not None:
            response.set_cookie(
                VISITOR_COOKIE,
                _signer.sign(visitor),
                max_age=_VISITOR_MAX_AGE_SECS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response
