import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def code_of(response) -> tuple[int, str]:
    assert set(response.json()) == {"code", "message", "field"}
    return response.status_code, response.json()["code"]


def test_unknown_address_is_not_found(client):
    assert code_of(client.get("/api/v1/nothing")) == (404, "not_found")


def test_unexpected_method_is_told_which_are_allowed(client):
    response = client.delete("/api/v1/me")
    assert code_of(response) == (405, "method_not_allowed")
    assert set(response["Allow"].split(", ")) == {"GET", "PATCH"}


def test_bad_token_is_never_a_silent_visitor(client):
    assert code_of(client.get("/api/v1/me", headers={"Authorization": "Bearer wrong"})) == (401, "token_invalid")


def test_every_response_names_no_third_party_and_no_documentation_page(client: Client):
    assert code_of(client.get("/api/v1/docs")) == (404, "not_found")
    assert "://" not in client.get("/api/v1/openapi.json").text
