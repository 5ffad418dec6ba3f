import pytest

from salon.config.environment import environment

pytestmark = pytest.mark.django_db


def test_health_answers_who_shows_the_secret(client):
    response = client.get("/internal/health", headers={"X-Salon-Internal": environment().internal_secret})
    assert (response.status_code, response.json()) == (200, {"status": "ready", "parts": {"web": "ready", "database": "ready"}})


@pytest.mark.parametrize("headers", [{}, {"X-Salon-Internal": ""}, {"X-Salon-Internal": "wrong"}, {"X-Salon-Internal": "é"}])
def test_without_the_secret_internal_addresses_look_missing(client, headers):
    refused, missing = client.get("/internal/health", headers=headers), client.get("/internal/nothing")
    assert (refused.status_code, refused.json()) == (404, missing.json())
