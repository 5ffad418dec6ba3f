import pytest
from django.urls import reverse

from salon.accounts.models import Person
from salon.rooms.actions.remove_person import remove_person
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db):
    return Person.objects.create_superuser("operator")


@pytest.mark.parametrize("name", ["room", "roomaction", "secondmoderatorrequest", "mediasession"])
def test_admin_lists_and_lets_nothing_be_added(room, operator, client, name):
    client.force_login(operator)
    assert client.get(reverse(f"admin:rooms_{name}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:rooms_{name}_add")).status_code == 403


def test_admin_shows_a_room_with_its_places_and_changes_nothing(room, host, listener, operator, client):
    remove_person(caller(host), room.id, listener.id, reason="Too loud", minutes=None)
    client.force_login(operator)
    address = reverse("admin:rooms_room_change", args=[room.id])
    page = client.get(address).content.decode()
    assert "Too loud" in page
    assert client.post(address, {"title": "Other"}).status_code == 403
    room.refresh_from_db()
    assert room.title == "Evening talk"
