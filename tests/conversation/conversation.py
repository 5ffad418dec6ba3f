"""What can be said in a conversation, and what was told of it."""

from salon.streams.models import StreamEvent

FIELDS = {
    "post_message": {"text": "Hello"},
    "delete_message": {"message": "a" * 26},
    "ask_question": {"text": "Why?"},
    "vote_question": {"question": "a" * 26},
    "unvote_question": {"question": "a" * 26},
    "take_question": {"question": "a" * 26, "how": "invite"},
    "close_question": {"question": "a" * 26},
    "pin_link": {"url": "https://example.com/"},
    "unpin_link": {"link": "a" * 26},
    "react": {"kind": "clap"},
    "open_poll": {"question": "Now?", "options": ["Yes", "No"]},
    "vote_poll": {"poll": "a" * 26, "option": 0},
    "close_poll": {"poll": "a" * 26},
}
"""By command, fields that it takes; ids are of nothing."""


def told_in(room):
    """(kind, data) of every event, oldest first."""
    return list(StreamEvent.objects.filter(stream=f"conversation/{room.id}").order_by("seq").values_list("kind", "data"))
