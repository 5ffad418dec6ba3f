"""People with parts in a room, and a media process that is not there."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.utils import timezone

from salon.accounts.models import Person
from salon.common.signing import read_grant
from salon.config.environment import environment
from salon.rooms import access, media, rate_limits
from salon.rooms import clubs as clubs_port
from salon.rooms.actions.attendance import enter_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.enums import Role
from salon.rooms.errors import SessionNotFound
from salon.rooms.models import Place, Room
from tests.rooms.fake_clubs import FakeClubs


@pytest.fixture(autouse=True)
def unhurried() -> Iterator[None]:
    """Limits count per process; no test inherits another's."""
    for limit in (rate_limits.COMMANDS, rate_limits.SOUND, rate_limits.VISITORS_SOUND, rate_limits.ROOMS_OPENED):
        limit.forget_all()
    yield


@pytest.fixture
def person(db) -> Callable[[str], Person]:
    return lambda handle: Person.objects.create_user(handle, name=handle.title())


@pytest.fixture
def host(person) -> Person:
    return person("hostess")


@pytest.fixture
def moderator(person) -> Person:
    return person("moderator")


@pytest.fixture
def speaker(person) -> Person:
    return person("speaker")


@pytest.fixture
def listener(person) -> Person:
    return person("listener")


@pytest.fixture
def cast(host, moderator, speaker, listener) -> tuple[Person, ...]:
    return host, moderator, speaker, listener


@pytest.fixture
def stranger(person) -> Person:
    """Has an account and is not in the room."""
    return person("stranger")


@pytest.fixture
def room(host, moderator, speaker, listener) -> Room:
    """An open room: the host and a speaker on the stage, a moderator and a listener in the audience."""
    room = open_room(host, title="Evening talk", topic="Of this and that", language="fr")
    for somebody in (host, moderator, speaker, listener):
        enter_room(room, somebody)
    Place.objects.filter(room=room, person=moderator).update(role=Role.MODERATOR, ever_moderated=True)
    Place.objects.filter(room=room, person=speaker).update(role=Role.SPEAKER, on_stage_since=timezone.now())
    room.refresh_from_db()
    return room


@pytest.fixture
def without_visitors(monkeypatch) -> None:
    """An installation whose operator lets nobody listen without an account."""
    closed = replace(environment(), anonymous_listening=False)
    monkeypatch.setattr(access, "environment", lambda: closed)


@pytest.fixture
def clubs(monkeypatch) -> FakeClubs:
    """Clubs where there are none yet."""
    fake = FakeClubs()
    monkeypatch.setattr(clubs_port, "_installed", fake)
    return fake


class FakeMedia:
    """Stands for the media process behind salon.rooms.media: answers offers, remembers what it was asked."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, str, dict]] = []
        self.sources: list[str] = []
        self.closed: list[tuple[str, str]] = []
        self.restarted: list[tuple[str, str, str]] = []
        self.gone: set[str] = set()
        self.failure: Exception | None = None
        self.before_answer: Callable[[], None] = lambda: None

    def open_session(self, grant, offer, policy, source):
        if self.failure:
            raise self.failure
        self.before_answer()
        self.opened.append((grant, offer, policy))
        self.sources.append(source)
        session = read_grant(grant, environment().secret_key, now=0)["session"]
        return media.OpenedSession(session, "v=0 answer", '"etag-1"')

    def restart_ice(self, session, owner, fragment):
        if self.failure:
            raise self.failure
        self.restarted.append((session, owner, fragment))
        return media.RestartedIce("a=ice-ufrag:server", '"etag-2"')

    def close_session(self, session, owner):
        if self.failure:
            raise self.failure
        if session in self.gone:
            raise SessionNotFound
        self.closed.append((session, owner))


@pytest.fixture
def media_process(monkeypatch) -> FakeMedia:
    fake = FakeMedia()
    for name in ("open_session", "restart_ice", "close_session"):
        monkeypatch.setattr(media, name, getattr(fake, name))
    return fake
