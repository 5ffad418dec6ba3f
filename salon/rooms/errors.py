"""What a room refuses, each with a stable code. Every one leaves the room as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from salon.common.errors import NotFound, SalonError


class RoomsError(SalonError):
    """Root of this app's refusals."""


class RoomNotFound(RoomsError, NotFound):
    """No such room, or not for the one who asks: they cannot tell which."""

    message = _("There is no such room, or it is not for you.")


class PersonNotFound(RoomsError, NotFound):
    message = _("There is no such person.")


class SessionNotFound(RoomsError, NotFound):
    """No such sound session, or somebody else's."""

    message = _("There is no such sound session.")


class RoomEnded(RoomsError):
    code = "room_ended"
    message = _("This room has ended.")


class NotAModerator(RoomsError):
    code = "not_a_moderator"
    message = _("Only moderators of this room can do that.")


class NotOnStage(RoomsError):
    code = "not_on_stage"
    message = _("That needs a place on the stage.")


class NotInvited(RoomsError):
    code = "not_invited"
    message = _("You have no invitation to the stage.")


class NotInRoom(RoomsError):
    code = "not_in_room"
    message = _("That needs somebody who is in the room.")


class HandAlreadyRaised(RoomsError):
    code = "hand_already_raised"
    message = _("Your hand is already up.")


class HandNotRaised(RoomsError):
    code = "hand_not_raised"
    message = _("Your hand is not up.")


class AlreadyOnStage(RoomsError):
    code = "already_on_stage"
    message = _("Already on the stage.")


class AlreadyInvited(RoomsError):
    code = "already_invited"
    message = _("Already invited to the stage.")


class AlreadyMuted(RoomsError):
    code = "already_muted"
    message = _("Already muted.")


class NotMuted(RoomsError):
    code = "not_muted"
    message = _("Not muted.")


class CannotActOnModerator(RoomsError):
    """Moderators are peers: only the host moves or removes one, and nobody the host."""

    code = "cannot_act_on_moderator"
    message = _("That cannot be done to a moderator of this room.")


class IdempotencyMismatch(RoomsError):
    """The key was used within ten minutes for something else: answering either way would mislead."""

    code = "idempotency_mismatch"
    message = _("This Idempotency-Key was used for another command.")


class InvalidSdp(RoomsError):
    """The offer or fragment cannot be used; the sentence says what is wrong with it."""

    code = "invalid_sdp"
    message = _("This is not an SDP offer that can be used.")

    def __init__(self, reason: str | Promise | None = None) -> None:
        super().__init__(message=reason)


class UnsupportedMediaType(RoomsError):
    code = "unsupported_media_type"
    message = _("This content type cannot be used here.")


class PreconditionRequired(RoomsError):
    """A PATCH without If-Match could hit a session that has moved on (RFC 9725 section 4.3.1)."""

    code = "precondition_required"
    message = _("Send If-Match with the session's ETag, or with *.")


class PreconditionFailed(RoomsError):
    """The ETag is of an ICE session that a restart has replaced."""

    code = "precondition_failed"
    message = _("This ETag is out of date.")


class MediaUnavailable(RoomsError):
    """The media process did not answer. It says nothing about the room or the session: ask again."""

    code = "media_unavailable"
    message = _("Sound is starting again. Try once more in a moment.")
    retry_after_secs = 1


@contextmanager
def at_field(name: str) -> Iterator[None]:
    """Refusals raised inside are the fault of the input `name`: of the person named, not of the one who asks."""
    try:
        yield
    except SalonError as error:
        error.field = name
        raise
