"""The keeper's tests play with the same cast as the rooms' own."""

from tests.rooms.conftest import cast, host, listener, media_process, moderator, person, room, speaker, stranger  # noqa: F401
