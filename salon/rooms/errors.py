"""What a room refuses, each with a stable code. Every one leaves the room as it was."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from salon.common.errors import NotFound, SalonError


class RoomsError(SalonError):
    """Root of this app's refusals."""


class RoomNotFound(RoomsError, NotFound):
    """No such room, or not for the one who asks: they cannot tell which."""

    message = _("There is no such room, or it is not for you.")


class ClubNotFound(RoomsError, NotFound):
    """No such club, or none that the one who asks opens rooms for: they cannot tell which."""

    message = _("There is no such club, or you cannot open rooms for it.")


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


class OnlyHost(RoomsError):
    code = "only_host"
    message = _("Only the host of this room can do that.")


class HandsNotAllowed(RoomsError):
    """The hand policy keeps this person's hand down."""

    code = "hands_not_allowed"
    message = _("Hands are not open to you in this room.")


class MuteHeld(RoomsError):
    code = "mute_held"
    message = _("A moderator holds your mute.")


class RoomLocked(RoomsError):
    code = "room_locked"
    message = _("This room is locked to newcomers.")


class RoomFull(RoomsError):
    """No seat is free; whoever asked is in line now. line: the protocol's Line."""

    code = "room_full"
    message = _("This room is full. You have a place in line.")

    def __init__(self, line: Mapping[str, object], *, retry_after_secs: int) -> None:
        super().__init__()
        self.more = {"line": line}
        self.retry_after_secs = retry_after_secs


class CannotPing(RoomsError):
    """They neither follow the sender nor share a club, or may not enter: which of these is not said."""

    code = "cannot_ping"
    message = _("You can call people who follow you or share a club with you, into a room that they may enter.")


class Silenced(RoomsError):
    code = "silenced"
    message = _("A moderator has closed writing to you in this room.")


class SwitchedOff(RoomsError):
    code = "switched_off"
    message = _("A moderator has switched that off in this room.")


class CannotActOnOneself(RoomsError):
    code = "cannot_act_on_oneself"
    message = _("You cannot do that to yourself.")


class CannotComeUp(RoomsError):
    """Somebody on the stage has blocked them: which is why no reason is given."""

    code = "cannot_come_up"
    message = _("It is not possible to come to the stage now.")


class StageLocked(RoomsError):
    code = "stage_locked"
    message = _("The stage is locked: nobody new comes up now.")


class StageIsOpen(RoomsError):
    code = "stage_is_open"
    message = _("No hand is needed here: step up to the stage.")


class StageNotOpen(RoomsError):
    code = "stage_not_open"
    message = _("One does not simply step up here: raise your hand.")


class NoHands(RoomsError):
    code = "no_hands"
    message = _("Nobody waits in the hand queue.")


class NobodyToInvite(RoomsError):
    code = "nobody_to_invite"
    message = _("Nobody among them can be invited now.")


class NobodyToMute(RoomsError):
    code = "nobody_to_mute"
    message = _("Nobody else has an open microphone.")


class NotHeld(RoomsError):
    code = "not_held"
    message = _("No mute of theirs is held.")


class NotRemoved(RoomsError):
    code = "not_removed"
    message = _("They are not removed from this room.")


class AlreadyModerator(RoomsError):
    code = "already_moderator"
    message = _("They moderate this room already.")


class NotModerating(RoomsError):
    """The person named is no moderator."""

    code = "not_moderating"
    message = _("They do not moderate this room.")


class CannotNarrow(RoomsError):
    code = "cannot_narrow"
    message = _("A live room can only be opened to more people, not to fewer.")


class NeedsSecondModerator(RoomsError):
    code = "needs_second_moderator"
    message = _("That needs a second moderator in the room who confirms it. Appoint one first.")


class AlreadyRequested(RoomsError):
    code = "already_requested"
    message = _("That waits for another moderator already.")


class RequestNotFound(RoomsError, NotFound):
    message = _("There is no such request.")


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


class RoomMovedOn(RoomsError):
    """The room is no longer as it was at the number that the command named."""

    code = "precondition_failed"
    message = _("The room has changed meanwhile. Look again, then decide.")


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
