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


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"\xff\xfe",
        b'{"email": NaN}',
        b"[" * 50_000,
        b'{"email": ' + b"9" * 5_000 + b"}",
        b"a=b&c=d",
        b'{"email": "zoe@example.org", "handle": [' + b"1," * 1_000 + b"1]}",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_garbage_instead_of_an_object_is_invalid(client, body):
    status, code = code_of(client.post("/api/v1/waitlist", body, content_type="application/json"))
    assert (status, code) == (400, "invalid")


def test_body_of_too_many_members_is_refused_without_looking_at_each(client):
    members = {f"k{number}": 0 for number in range(1_000)}
    for body, field in ((members, "email"), (members | {"one": 0}, None)):
        response = client.post("/api/v1/waitlist", body, content_type="application/json")
        assert (response.status_code, response.json()["code"], response.json()["field"]) == (400, "invalid", field)


def test_too_large_body_is_refused_unread(client):
    body = b'{"email": "' + b"x" * 256 * 1024 + b'"}'
    assert code_of(client.post("/api/v1/waitlist", body, content_type="application/json")) == (413, "too_large")


def test_missing_and_wrong_fields_are_named(client):
    for body, field in (({"email": "zoe@example.org"}, "handle"), ({"email": 7, "handle": "zoe"}, "email")):
        response = client.post("/api/v1/waitlist", body, content_type="application/json")
        assert (response.status_code, response.json()["code"], response.json()["field"]) == (400, "invalid", field)


def test_our_own_fault_is_logged_and_says_nothing_about_itself(client, monkeypatch, caplog):
    def broken(*args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("salon.accounts.api.people.access_person_by_handle", broken)
    response = client.get("/api/v1/people/zoe")
    assert code_of(response) == (500, "internal")
    assert "secret detail" not in response.text
    (record,) = [record for record in caplog.records if record.name == "salon.api.failures"]
    assert (record.action, record.route) == ("request_failed", "api/v1/people/<handle>")


def test_refusal_is_in_the_language_asked_for(client, french):
    response = client.get("/api/v1/nothing", headers={"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"})
    assert response.json()["message"] == "Il n’y a rien ici, ou ce n’est pas pour vous."
