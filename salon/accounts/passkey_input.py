"""A guard around allauth's passkey views: the library below reads a credential's members without looking whether they are there."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)


class PasskeyInputMiddleware:
    """Answers a malformed credential with 400 in allauth's form, where it would have been a crash."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        is_passkey_view = request.path.startswith("/_allauth/") and "/webauthn" in request.path
        if not is_passkey_view or not isinstance(error, (KeyError, TypeError, AttributeError, ValueError)):
            return None
        logger.info("A malformed passkey was refused.", extra={"action": "passkey_refused", "reason": type(error).__name__})
        refusal = {"code": "invalid", "message": _("This is not a passkey's answer."), "param": "credential"}
        return JsonResponse({"status": 400, "errors": [refusal]}, status=400)
