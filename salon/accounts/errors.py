"""What the people's part of Salon refuses, each with a stable code."""

from django.utils.translation import gettext_lazy as _

from salon.common.errors import SalonError


class AccountsError(SalonError):
    """Root of this app's refusals."""


class SignInRequired(AccountsError):
    """Nobody is signed in and this is for people only."""

    code = "sign_in_required"
    message = _("Sign in to do that.")


class TokenInvalid(AccountsError):
    """A bearer token was sent and it is unknown, revoked, or of a person who may no longer sign in."""

    code = "token_invalid"
    message = _("This access token is not valid. Make a new one.")


class CsrfFailed(AccountsError):
    """A browser's session asked for a change without the proof that our own page did."""

    code = "csrf_failed"
    message = _("This page is out of date. Reload it and try again.")
