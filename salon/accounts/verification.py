"""allauth's view that takes the sign-up code, for newcomers who began again."""

from typing import Any

from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
from allauth.headless.account.views import VerifyEmailView
from allauth.headless.base.response import ConflictResponse
from allauth.headless.constants import Client
from django.http import HttpRequest, HttpResponseBase


class VerifyEmail(VerifyEmailView):  # type: ignore[misc]  # allauth has no types
    """A later attempt with the same address replaces the earlier one's account, and then allauth would crash on the earlier one's
    right code. Here it is told that its attempt is over (409), as after too many wrong codes."""

    def handle(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        process = EmailVerificationProcess.resume(request)
        if process and process.state.get("user_id") and process.user is None:
            process.abort()
            conflict: HttpResponseBase = ConflictResponse(request)
            return conflict
        response: HttpResponseBase = super().handle(request, *args, **kwargs)
        return response


verify_email = VerifyEmail.as_api_view(client=Client.BROWSER)
