"""What streams are called: by clients, and between processes.

They differ in one: a client says `person/me`, the bus and web say `person/ID`.
"""

from salon.common.ids import is_id
from salon.gateway.identity import Identity

HALLWAY = "hallway"
_OWN = "person/me"
_CONVERSATION = "conversation/"
_FOR_MODERATORS = ("hands", "moderation")
_OF_A_ROOM = ("room", "conversation", *_FOR_MODERATORS)


class StreamUnknown(Exception):
    """No stream is called so, for this one who asks. `code` says how to answer."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def stream_name(said: str, identity: Identity) -> str:
    """Raises StreamUnknown."""
    if said == HALLWAY:
        return HALLWAY
    if said == _OWN:
        if identity.person is None:
            raise StreamUnknown("sign_in_required")
        return person_stream(identity.person)
    kind, _, id_ = said.partition("/")
    if kind not in _OF_A_ROOM or not is_id(id_):
        raise StreamUnknown("not_found")
    return said


def name_for_client(name: str) -> str:
    return _OWN if name.startswith("person/") else name


def is_for_moderators(name: str) -> bool:
    return name.partition("/")[0] in _FOR_MODERATORS


def room_of_conversation(name: str) -> str | None:
    """The room whose conversation this stream is; None for every other stream."""
    return name.removeprefix(_CONVERSATION) if name.startswith(_CONVERSATION) else None


def is_for_who_may_enter(name: str) -> bool:
    return name.partition("/")[0] in ("room", "conversation")


def person_stream(person: str) -> str:
    return f"person/{person}"


def room_stream(room: str) -> str:
    return f"room/{room}"


def conversation_stream(room: str) -> str:
    return f"{_CONVERSATION}{room}"


def streams_for_moderators(room: str) -> list[str]:
    return [f"{kind}/{room}" for kind in _FOR_MODERATORS]
