"""What the written side of a room refuses. `silenced` and `switched_off` are the room's own (salon/rooms/errors.py)."""

from django.utils.translation import gettext_lazy as _

from salon.common.errors import NotFound, SalonError


class ConversationError(SalonError):
    """Root of this app's refusals."""


class MessageNotFound(ConversationError, NotFound):
    """No such message in this room, or deleted."""

    message = _("There is no such message.")


class QuestionNotFound(ConversationError, NotFound):
    """No such question in this room, or closed."""

    message = _("There is no such question.")


class LinkNotFound(ConversationError, NotFound):
    message = _("There is no such link.")


class PollNotFound(ConversationError, NotFound):
    message = _("There is no such poll.")


class SlowMode(ConversationError):
    code = "slow_mode"
    message = _("Slow mode is on: wait a little before your next message.")

    def __init__(self, *, retry_after_secs: int) -> None:
        super().__init__()
        self.retry_after_secs = retry_after_secs


class TooManyLinks(ConversationError):
    code = "too_many_links"
    message = _("Three links are pinned already. Take one down first.")


class TooManyQuestions(ConversationError):
    """This person, or the room, has as many open questions as can be."""

    code = "too_many_questions"
    message = _("There are enough open questions. Wait until one of them is answered.")


class PollOpen(ConversationError):
    code = "poll_open"
    message = _("A poll is open already. Close it first.")


class PollClosed(ConversationError):
    code = "poll_closed"
    message = _("This poll is closed.")


class AlreadyVoted(ConversationError):
    code = "already_voted"
    message = _("You have voted already.")


class NotVoted(ConversationError):
    code = "not_voted"
    message = _("You have not voted for it.")


class AlreadyTaken(ConversationError):
    code = "already_taken"
    message = _("A moderator has taken this question up already.")
