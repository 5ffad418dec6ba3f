"""The written commands of a room, one module each; salon/rooms/messages serves them beside its own."""

from . import delete_message, post_message

_MODULES = (post_message, delete_message)
MESSAGES = tuple(module.MESSAGE for module in _MODULES)
