import json
import stat
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from pytest_django import Settings

from salon.accounts.actions.tokens import authenticate_token
from salon.accounts.errors import TokenInvalid
from salon.accounts.models import AccessToken, Person
from salon.demo.community import characters
from salon.demo.seed import COMMUNITY, community_tokens, seed_community
from salon.social.models import Follow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def uploads(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "uploads"


def handles() -> list[str]:
    return sorted(Person.objects.values_list("handle", flat=True))


def test_seed_community_in_an_empty_database_makes_everybody_with_a_picture() -> None:
    assert seed_community() is True
    assert handles() == sorted(character.handle for character in characters())
    nora = Person.objects.get(handle="nora")
    assert (nora.name, nora.languages, nora.email) == ("Nora Whitlock", ["en"], None)
    assert nora.bio.startswith("Harbour pilot.")
    assert nora.picture.read()[8:12] == b"WEBP"
    assert not nora.has_usable_password()
    followed = Follow.objects.filter(follower=nora).order_by("at").values_list("followed__handle", flat=True)
    assert list(followed) == ["idris", "bea", "ingrid", "theo", "sam"]


def test_seed_community_a_second_time_changes_nothing() -> None:
    seed_community()
    Person.objects.filter(handle="nora").update(bio="Edited.")
    Person.objects.get(handle="sam").delete()
    assert seed_community() is False
    assert "sam" not in handles()
    assert Person.objects.get(handle="nora").bio == "Edited."


def test_seed_community_where_somebody_signed_up_touches_nothing() -> None:
    Person.objects.create_user("alice")
    assert seed_community() is False
    assert handles() == ["alice"]
    assert not Group.objects.filter(name=COMMUNITY).exists()


def test_seed_community_after_everybody_left_stays_away() -> None:
    seed_community()
    Person.objects.all().delete()
    assert seed_community() is False
    assert handles() == []


def test_community_tokens_are_kept_private_and_used_again(tmp_path: Path) -> None:
    seed_community()
    tokens = community_tokens(tmp_path / "demo")
    assert authenticate_token(tokens["nora"]).handle == "nora"
    path = tmp_path / "demo" / "tokens.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert community_tokens(tmp_path / "demo") == tokens
    assert AccessToken.objects.count() == len(characters())


def test_community_tokens_lost_or_revoked_are_made_anew(tmp_path: Path) -> None:
    seed_community()
    before = community_tokens(tmp_path)
    AccessToken.objects.filter(person__handle="nora").delete()
    (tmp_path / "tokens.json").write_text(json.dumps({**before, "sam": "salon_forged"}))
    after = community_tokens(tmp_path)
    assert authenticate_token(after["nora"]).handle == "nora"
    assert authenticate_token(after["sam"]).handle == "sam"
    assert after["bea"] == before["bea"]
    with pytest.raises(TokenInvalid):
        authenticate_token(before["nora"])


def test_community_tokens_without_a_community_are_none(tmp_path: Path) -> None:
    Person.objects.create_user("nora")
    assert community_tokens(tmp_path) == {}
    assert not (tmp_path / "tokens.json").exists()
