"""The written commands of a room, one module each; salon/rooms/messages serves them beside its own."""

from . import (
    ask_question,
    close_poll,
    close_question,
    delete_message,
    open_poll,
    pin_link,
    post_message,
    react,
    take_question,
    unpin_link,
    unvote_question,
    vote_poll,
    vote_question,
)

_MODULES = (
    post_message,
    delete_message,
    ask_question,
    vote_question,
    unvote_question,
    take_question,
    close_question,
    pin_link,
    unpin_link,
    react,
    open_poll,
    vote_poll,
    close_poll,
)
MESSAGES = tuple(module.MESSAGE for module in _MODULES)
