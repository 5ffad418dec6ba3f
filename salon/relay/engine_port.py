"""The engine as this package uses it, so that a fake can stand for it.

`_engine` is the extension module that `make build` puts here. Only the media process itself imports it, when it starts; everything
else of Salon works on a machine where it is not built.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from salon.relay._engine import Direction, EngineStats, Event, RoomTalk, SessionOpened, SessionTruth, Speaker


class Engine(Protocol):
    """`_engine.Engine`; its stub has the contract."""

    def open_session(self, *, session: str, room: str, person: str, direction: "Direction", offer: str) -> "SessionOpened": ...
    def restart_ice(self, session: str, fragment: str) -> tuple[str, str]: ...
    def close_session(self, session: str, reason: str) -> bool: ...
    def set_stage(self, room: str, speakers: "Sequence[Speaker]") -> None: ...
    def close_person(self, room: str, person: str, reason: str) -> int: ...
    def close_room(self, room: str, reason: str) -> int: ...
    def poll_events(self, timeout_secs: float) -> "list[Event]": ...
    def truth(self, room: str | None = None) -> "list[SessionTruth]": ...
    def take_talk(self) -> "list[RoomTalk]": ...
    def stats(self) -> "EngineStats": ...
    def close(self) -> None: ...


class EngineModule(Protocol):
    """What is used of the module `_engine` beside `Engine`."""

    Speaker: Any
    SessionClosed: Any
    SessionConnected: Any
    EngineError: type[Exception]
    OfferRefused: type[Exception]
    SessionUnknown: type[Exception]
