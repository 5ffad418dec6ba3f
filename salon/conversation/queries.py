"""Reads with more than one caller. Each takes a fixed number of queries, however much was written."""

from django.db.models import Subquery

from salon.conversation.enums import QuestionState
from salon.conversation.models import ChatMessage, Link, Poll, PollVoter, Question, QuestionVote
from salon.conversation.shapes import ConversationState, link_shape, message_shape, poll_shape, question_shape


def conversation_of(room_id: str) -> ConversationState:
    """In four queries."""
    poll = shown_poll(room_id)
    return {
        "messages": [message_shape(message) for message in shown_messages(room_id)],
        "questions": [question_shape(question) for question in listed_questions(room_id)],
        "links": [link_shape(link) for link in pinned_links(room_id)],
        "poll": poll_shape(poll) if poll else None,
    }


def shown_messages(room_id: str) -> list[ChatMessage]:
    """What somebody has who has applied every event: the newest hundred, oldest first. With their authors."""
    posted = ChatMessage.objects.filter(room=room_id)
    newest = posted.order_by("-seq").values("shown_from")[:1]
    return list(posted.select_related("author").filter(deleted_at=None, seq__gte=Subquery(newest)).order_by("seq"))


def listed_questions(room_id: str) -> list[Question]:
    """Those that are not closed, oldest first. With their authors."""
    listed = Question.objects.filter(room=room_id).exclude(state=QuestionState.CLOSED)
    return list(listed.select_related("author").order_by("seq"))


def pinned_links(room_id: str) -> list[Link]:
    """Oldest first. With who pinned them."""
    return list(Link.objects.filter(room=room_id, unpinned_at=None).select_related("by").order_by("seq"))


def shown_poll(room_id: str) -> Poll | None:
    """The newest: a closed one stays until the next is opened."""
    return Poll.objects.filter(room=room_id).order_by("-seq").first()


def voted_for(room_id: str, person_id: str) -> set[str]:
    """The ids of the room's questions that somebody has voted for."""
    votes = QuestionVote.objects.filter(question__room=room_id, person=person_id)
    return set(votes.values_list("question_id", flat=True))


def has_voted_in(poll: Poll, person_id: str) -> bool:
    return PollVoter.objects.filter(poll=poll, person=person_id).exists()
