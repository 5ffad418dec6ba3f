"""The shapes of docs/protocol.md section 7, for answers, snapshots and events alike: none has a way of its own to say a thing."""

from typing_extensions import TypedDict

from salon.accounts.faces import Face, face_of
from salon.common.times import rfc3339
from salon.conversation import models


class Message(TypedDict):
    id: str
    author: Face
    text: str
    at: str


class Question(TypedDict):
    id: str
    author: Face
    text: str
    asked_at: str
    state: str


class Link(TypedDict):
    id: str
    url: str
    title: str
    by: Face


class Poll(TypedDict):
    """counts: one for each option once it is closed, None before."""

    id: str
    question: str
    options: list[str]
    counts: list[int] | None
    opened_at: str
    closed: bool


class ConversationState(TypedDict):
    """Everything in the order in which it was told."""

    messages: list[Message]
    questions: list[Question]
    links: list[Link]
    poll: Poll | None


def message_shape(message: models.ChatMessage) -> Message:
    """message: with its author loaded."""
    return {"id": message.id, "author": face_of(message.author), "text": message.text, "at": rfc3339(message.posted_at)}


def question_shape(question: models.Question) -> Question:
    """question: with its author loaded."""
    return {
        "id": question.id,
        "author": face_of(question.author),
        "text": question.text,
        "asked_at": rfc3339(question.asked_at),
        "state": str(question.state),
    }


def link_shape(link: models.Link) -> Link:
    """link: with who pinned it loaded."""
    return {"id": link.id, "url": link.url, "title": link.title, "by": face_of(link.by)}


def poll_shape(poll: models.Poll) -> Poll:
    return {
        "id": poll.id,
        "question": poll.question,
        "options": list(poll.options),
        "counts": None if poll.is_open else list(poll.counts),
        "opened_at": rfc3339(poll.opened_at),
        "closed": not poll.is_open,
    }
