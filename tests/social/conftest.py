"""Three people who know nothing of each other yet: Alice and Bob meet, Carol is the third."""

from collections.abc import Callable

import pytest

from salon.accounts.models import Person
from salon.social import rate_limits
from tests.social.people import Api


@pytest.fixture(autouse=True)
def limits_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits count per process; no test inherits another's, and none gets more for being slow."""
    for limit in (rate_limits.FOLLOWS, rate_limits.BLOCKS, rate_limits.PING_MUTES, rate_limits.CONTESTS):
        limit.forget_all()
        monkeypatch.setattr(limit, "_clock", lambda: 0.0)


@pytest.fixture
def person(db: None) -> Callable[..., Person]:
    return lambda handle, **more: Person.objects.create_user(handle, name=handle.title(), **more)


@pytest.fixture
def alice(person) -> Person:
    return person("alice")


@pytest.fixture
def bob(person) -> Person:
    return person("bob")


@pytest.fixture
def carol(person) -> Person:
    return person("carol")


@pytest.fixture
def as_alice(alice) -> Api:
    return Api(alice)


@pytest.fixture
def as_bob(bob) -> Api:
    return Api(bob)


@pytest.fixture
def as_carol(carol) -> Api:
    return Api(carol)


@pytest.fixture
def visitor(db: None) -> Api:
    return Api()
