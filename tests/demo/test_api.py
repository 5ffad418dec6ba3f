from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from salon.accounts.models import Person
from salon.demo.community import quiet_handles
from salon.demo.seed import seed_community

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.demo.urls")]


@pytest.fixture(autouse=True)
def community(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    seed_community()


def sign_in(client: Client, **fields: object) -> Any:
    return client.post("/api/v1/demo/sign-in", fields, content_type="application/json")


def signed_in_as(client: Client) -> str | None:
    key = client.session.get("_auth_user_id")
    return Person.objects.get(pk=key).handle if key else None


def test_demo_people_are_the_quiet_ones_with_face_and_bio(client: Client) -> None:
    answer = client.get("/api/v1/demo")
    assert answer.status_code == 200
    people = answer.json()["people"]
    assert sorted(person["handle"] for person in people) == sorted(quiet_handles())
    assert {key for person in people for key in person} == {"id", "handle", "name", "picture", "bio"}
    assert all(person["picture"].startswith("/uploads/pictures/") for person in people)


def test_demo_sign_in_makes_somebody_new_for_each_visitor() -> None:
    first, second = Client(), Client()
    one, two = sign_in(first).json()["person"], sign_in(second).json()["person"]
    assert one["id"] != two["id"]
    assert one["handle"].startswith("guest_") and len(one["handle"]) == 12
    assert signed_in_as(first) == one["handle"] and signed_in_as(second) == two["handle"]


def test_demo_sign_in_speaks_the_visitors_language(client: Client) -> None:
    person = client.post("/api/v1/demo/sign-in", {}, content_type="application/json", headers={"accept-language": "fr"}).json()["person"]
    assert person["languages"] == ["fr"]
    assert person["name"].split()[0] in ("Loutre", "Mésange", "Hirondelle", "Hermine", "Chouette")


def test_demo_sign_in_as_a_quiet_person(client: Client) -> None:
    assert sign_in(client, handle="sam").json()["person"]["name"] == "Sam Okoro"
    assert signed_in_as(client) == "sam"


@pytest.mark.parametrize("handle", ["nora", "nobody_here"])
def test_demo_sign_in_as_a_speaker_or_a_stranger_is_not_found(client: Client, handle: str) -> None:
    answer = sign_in(client, handle=handle)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert signed_in_as(client) is None


def test_demo_sign_in_never_opens_a_real_persons_account(client: Client) -> None:
    Person.objects.get(handle="sam").delete()
    Person.objects.create_user("sam", name="A real Sam")
    assert sign_in(client, handle="sam").status_code == 404
    assert signed_in_as(client) is None
