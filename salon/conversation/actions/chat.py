"""Posting into the chat, and deleting from it."""

from salon.accounts.callers import Caller
from salon.common.text import clean_text
from salon.conversation.actions.standing import Standing, as_moderator, for_oneself
from salon.conversation.domain import chat
from salon.conversation.domain.participant import require_present
from salon.conversation.errors import MessageNotFound
from salon.conversation.events import conversation_stream, tell
from salon.conversation.models import ChatMessage
from salon.conversation.models.chat_message import TEXT_MAX
from salon.conversation.shapes import message_shape
from salon.rooms.actions.acted import Acted
from salon.rooms.moderation import log_action
from salon.streams.events import redact


def post_message(caller: Caller, room_id: str, text: str) -> Acted:
    """Raises what the door and domain.chat.require_may_post raise, and Invalid for the text."""
    cleaned = clean_text(text, TEXT_MAX, field="text", required=True)
    with for_oneself(caller, room_id) as at:
        own = ChatMessage.objects.filter(room=at.room, author=at.person).order_by("-posted_at")
        chat.require_may_post(at.terms, at.participant, own.values_list("posted_at", flat=True).first(), at.now)
        message = ChatMessage(room=at.room, author=at.person, text=cleaned, posted_at=at.now)
        message.seq = tell(at.room.id, "message_posted", {**message_shape(message)})
        message.shown_from = _shown_from(at.room.id)
        message.save(force_insert=True)
        return Acted(message.seq, message.id)


def delete_message(caller: Caller, room_id: str, message_id: str) -> int:
    """Returns the number of the conversation's stream. Raises what the door and domain.chat.require_may_delete raise, MessageNotFound."""
    own = ChatMessage.objects.filter(id=message_id, room=room_id, author=caller.person).exists()
    return _delete_own(caller, room_id, message_id) if own else _delete_as_moderator(caller, room_id, message_id)


def _delete_own(caller: Caller, room_id: str, message_id: str) -> int:
    with for_oneself(caller, room_id) as at:
        message = _locked_message(at, message_id)
        seq = tell(at.room.id, "message_deleted", {"message": message.id})
        _mark_deleted(message, at)
        return seq


def _delete_as_moderator(caller: Caller, room_id: str, message_id: str) -> int:
    with as_moderator(caller, room_id) as (at, _):
        message = _locked_message(at, message_id)
        # Not its text: whoever reads the log needs to know that it happened, and nobody shall read it there again.
        entry = log_action(at.room, "delete_message", actor=at.person, target=message.author, data={"message": message.id}, at=at.now)
        seq = tell(at.room.id, "message_deleted", {"message": message.id}, entry)
        _mark_deleted(message, at)
        return seq


def _locked_message(at: Standing, message_id: str) -> ChatMessage:
    require_present(at.terms, at.participant)
    messages = ChatMessage.objects.select_for_update(of=("self",), no_key=True).select_related("author")
    message = messages.filter(id=message_id, room=at.room, deleted_at=None).first()
    if message is None:
        raise MessageNotFound(field="message")
    chat.require_may_delete(at.terms, at.participant, message.author_id)
    return message


def _mark_deleted(message: ChatMessage, at: Standing) -> None:
    message.deleted_at, message.deleted_by = at.now, at.person
    message.save(update_fields=["deleted_at", "deleted_by"])
    redact(conversation_stream(at.room.id), message.seq, text="")


def _shown_from(room_id: str) -> int:
    """For the message that is just being posted: its number is taken, so no other is posted or deleted meanwhile."""
    posted = ChatMessage.objects.filter(room=room_id)
    before = posted.order_by("-seq").values_list("shown_from", flat=True).first() or 0
    shown = posted.filter(deleted_at=None, seq__gte=before).order_by("-seq").values_list("seq", flat=True)
    return chat.shown_from(list(shown[: chat.SHOWN]), before)
