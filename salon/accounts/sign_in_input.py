"""A guard around allauth's headless views, which trust that a body is JSON that a database can keep and a passkey that is complete."""

import json
import logging
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)


class SignInInputMiddleware:
    """Answers with a refusal, in allauth's form, what would have been a crash."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/_allauth/"):
            return self.get_response(request)
        try:
            body = request.body
        except RequestDataTooBig:
            return _refusal("too_large", _("This is too large."), status=413)
        if body and not _is_readable(body):
            return _refusal("invalid", _("The request could not be read. Send a JSON object in UTF-8."))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The WebAuthn library reads a credential's members without looking whether they are there."""
        is_passkey_view = request.path.startswith("/_allauth/") and "/webauthn" in request.path
        if not is_passkey_view or not isinstance(error, (KeyError, TypeError, AttributeError, ValueError)):
            return None
        logger.info("A malformed passkey was refused.", extra={"action": "passkey_refused", "reason": type(error).__name__})
        return _refusal("invalid", _("This is not a passkey's answer."), param="credential")


def _is_readable(body: bytes) -> bool:
    """Whether this is JSON whose texts can be stored: JSON can spell half surrogates, UTF-8 cannot."""
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def _refusal(code: str, message: str, *, param: str | None = None, status: int = 400) -> JsonResponse:
    error = {"code": code, "message": message} | ({"param": param} if param else {})
    return JsonResponse({"status": status, "errors": [error]}, status=status)
