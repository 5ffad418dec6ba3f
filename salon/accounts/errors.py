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


class HandleTaken(AccountsError):
    """Taken, reserved on the waiting list, reserved for the house, or too much like one of these: nobody can tell which."""

    code = "handle_taken"
    message = _("This handle is not available. Choose another one.")


class SignUpClosed(AccountsError):
    """The policy lets nobody in this way."""

    code = "sign_up_closed"
    message = _("Salon is by invitation for now. Ask a member for an invitation.")


class InvitationSpent(SignUpClosed):
    """Unknown, used up, ended, or meant for another address: nobody can tell which."""

    message = _("This invitation can no longer be used. Ask for a new one.")


class WaitingListClosed(SignUpClosed):
    message = _("There is no waiting list at the moment.")


class NoInvitationsLeft(AccountsError):
    """The budget is used up; what an expired invitation left unused comes back."""

    code = "no_invitations_left"
    message = _("You have no invitations left.")


class TooManyTokens(AccountsError):
    code = "too_many_tokens"
    message = _("You have many access tokens already. Revoke one first.")


class MessageUndelivered(AccountsError):
    """A channel could not take a message now. Trying again may succeed."""

    code = "message_undelivered"
    message = _("The message could not be sent. Try again in a minute.")
    retry_after_secs = 60
