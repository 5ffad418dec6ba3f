"""Every refusal as the one error body `{"code", "message", "field"}`, whatever raised it."""

import logging
from collections.abc import Callable, Mapping

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from salon.api.statuses import status_of
from salon.common.errors import SalonError, TooManyRequests

logger = logging.getLogger(__name__)


def refusal(
    code: str, message: str, field: str | None = None, retry_after_secs: int | None = None, more: Mapping[str, object] | None = None
) -> JsonResponse:
    response = JsonResponse({**(more or {}), "code": code, "message": message, "field": field}, status=status_of(code))
    if retry_after_secs is not None:
        response["Retry-After"] = str(retry_after_secs)
    return response


def refusal_of(error: SalonError) -> JsonResponse:
    return refusal(error.code, str(error.sentence), error.field, error.retry_after_secs, error.more)


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return refusal("not_found", _("There is nothing here, or it is not for you."))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return refusal("too_large", _("This is too large.")) if isinstance(exception, RequestDataTooBig) else _malformed()


def csrf_failed(request: HttpRequest, reason: str = "") -> JsonResponse:
    return refusal("csrf_failed", _("This page is out of date. Reload it and try again."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return refusal("not_yours", _("This is not for you."))


def server_error(request: HttpRequest) -> JsonResponse:
    return refusal("internal", _("Something went wrong on our side. Try again in a moment."))


def install(api: NinjaAPI) -> None:
    """Make `api` answer every exception with the one error body."""
    for kind in (SalonError, Http404, PermissionDenied, ValidationError, HttpError, RequestDataTooBig, UnreadablePostError, Exception):
        api.add_exception_handler(kind, _answer)


def _answer(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    match error:
        case SalonError():
            return refusal_of(error)
        case ValidationError():
            return _invalid(error)
        case Http404():
            return not_found(request)
        case PermissionDenied():
            return forbidden(request)
        case HttpError() | RequestDataTooBig() | UnreadablePostError():
            return bad_request(request, error)
    # The route, not the path: a path may name somebody.
    route = request.resolver_match.route if request.resolver_match else None
    logger.error("A request failed by our fault.", exc_info=True, extra={"action": "request_failed", "route": route})
    return server_error(request)


def _malformed() -> JsonResponse:
    return refusal("invalid", _("The request could not be read. Send a JSON object in UTF-8."))


def _invalid(error: ValidationError) -> JsonResponse:
    """Names the first field at fault, by the name the client used."""
    first = error.errors[0]
    # ("body", "payload", "title") → "title"; ("query", "language") → "language"; a whole body at fault names no field.
    names = [str(part) for part in first["loc"][1:] if not isinstance(part, int)]
    field = names[-1] if len(first["loc"]) > (2 if first["loc"][0] == "body" else 1) and names else None
    if field is None:
        return _malformed()
    return refusal("invalid", _("%(field)s: this value cannot be used.") % {"field": field}, field)


class OneErrorBodyMiddleware:
    """Gives the error body to what no operation of the API refused: unexpected methods, and limits and refusals within allauth."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 429 and request.path.startswith("/_allauth/"):
            return refusal_of(TooManyRequests(retry_after_secs=60))
        if response.status_code == 405 and request.path.startswith("/api/"):
            answer = refusal("method_not_allowed", _("This address does not take that method."))
            answer["Allow"] = response.get("Allow", "")
            return answer
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refusal_of(error) if isinstance(error, SalonError) else None
