"""The API keeps what openapi.json promises: no generated request is answered by a 5xx, an undocumented status or another shape.

It is asked as a visitor and as a person. Few examples for each operation: this finds what crashes on odd input and what nobody
documented; the rules themselves have tests of their own.
"""

from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from salon.accounts.actions.tokens import create_token
from salon.accounts.models import Person
from salon.config.wsgi import application

pytestmark = pytest.mark.django_db
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# What the gateway adds to every request.
GATEWAY = {"X-Forwarded-For": "192.0.2.1"}
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_text(context: schemathesis.SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@pytest.fixture(autouse=True)
def connection_outlives_requests() -> Iterator[None]:
    """A real WSGI request closes its connection to the database at the end; these share the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def secret(db: None) -> str:
    return create_token(Person.objects.create_user("alice", "alice@example.org"), "schema")


@schema.parametrize()
@BOUNDED
def test_as_a_visitor(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=CHECKS, headers=GATEWAY)


@schema.parametrize()
@BOUNDED
def test_as_a_person(case: schemathesis.Case, secret: str) -> None:
    case.call_and_validate(checks=CHECKS, headers={**GATEWAY, "Authorization": f"Bearer {secret}"})
