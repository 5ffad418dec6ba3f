"""What the people's tests share: browsers, and installations configured otherwise."""

from collections.abc import Callable, Iterator

import pytest
from django.test import override_settings

from salon.accounts.channels import registry
from salon.accounts.models import Person
from salon.common.paths import PACKAGE
from salon.config.environment import environment
from salon.config.rate_limits import sign_in_limits
from salon.locale.compile import compile_catalogues
from tests.accounts.browser import Browser

Configure = Callable[..., None]
PRODUCTION = {"SALON_MODE": "production", "SALON_PUBLIC_URL": "https://salon.example.org", "SALON_SMTP_URL": "smtp://localhost:25"}


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def alice() -> Person:
    return Person.objects.create_user("alice", "alice@example.org", name="Alice", languages=["en"])


@pytest.fixture
def bob() -> Person:
    return Person.objects.create_user("bob", "bob@example.org")


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """`configure(SALON_SIGN_UP="invite")`: from here on the installation is configured so."""

    def change(**settings: str) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        _forget()

    yield change
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for cached in (environment, registry.email_channel, registry.sms_channel):
        cached.cache_clear()


@pytest.fixture(scope="session")
def french() -> None:
    """Compiled translations; the build makes them, a bare checkout has none."""
    compile_catalogues(PACKAGE / "locale")


@pytest.fixture
def production_limits() -> Iterator[None]:
    """Sign-in limits per address too, which development leaves out."""
    with override_settings(ACCOUNT_RATE_LIMITS=sign_in_limits(is_development=False)):
        yield
