from tests.rooms.conftest import cast, host, listener, media_process, moderator, person, room, speaker, stranger  # noqa: F401
