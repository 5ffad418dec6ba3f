"""pin_link and unpin_link, through the front door."""

import pytest

from salon.conversation.models import Link
from salon.rooms.models import Room, RoomAction
from tests.conversation.conversation import told_in

pytestmark = pytest.mark.django_db


def test_pin_link(send, room, moderator):
    answer = send("moderator", "pin_link", url=" HTTPS://Example.com/a page?q=é ", title=" The  programme ")
    link = Link.objects.get()
    assert answer == {"seq": 1, "id": link.id}
    assert (link.url, link.title, link.by) == ("https://example.com/a%20page?q=%C3%A9", "The programme", moderator)
    kind, data = told_in(room)[-1]
    assert (kind, data["by"].pop("handle")) == ("link_pinned", "moderator")
    assert (data["id"], data["url"], data["title"]) == (link.id, link.url, link.title)
    entry = RoomAction.objects.get(action="pin_link")
    assert (entry.actor, entry.data, entry.logged) == (moderator, {"link": link.id}, True)


def test_pin_link_without_a_title_shows_its_host(send):
    send("hostess", "pin_link", url="https://example.com:8443/deep/page")
    assert Link.objects.get().title == "example.com"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "ftp://example.com/", "data:text/html,x", "//example.com", "example.com", "https://", "",
        "https://you@example.com/", "https://you:secret@example.com/", "https://example.com:99999/", "https://exa mple.com/",
        "https://example.com/" + "x" * 481, "https://example.com/" + "é" * 90,
    ],
)  # fmt: skip
def test_pin_link_that_is_no_address_for_people(send, url):
    refused = send("hostess", "pin_link", url=url)
    assert (refused["code"], refused["field"]) == ("invalid", "url")
    assert not Link.objects.exists()


def test_pin_link_as_long_as_can_be(send):
    assert "id" in send("hostess", "pin_link", url="https://example.com/" + "x" * 480, title="x" * 100)
    refused = send("hostess", "pin_link", url="https://example.com/", title="x" * 101)
    assert (refused["code"], refused["field"]) == ("invalid", "title")


def test_pin_link_beside_three(send):
    links = [send("hostess", "pin_link", url=f"https://example.com/{n}")["id"] for n in range(3)]
    assert send("moderator", "pin_link", url="https://example.com/3")["code"] == "too_many_links"
    send("moderator", "unpin_link", link=links[0])
    assert "id" in send("moderator", "pin_link", url="https://example.com/3")


def test_pin_link_refused(send):
    for who, code in (("speaker", "not_a_moderator"), ("stranger", "not_in_room")):
        assert send(who, "pin_link", url="https://example.com/")["code"] == code
    Room.objects.update(links=False)
    assert send("hostess", "pin_link", url="https://example.com/")["code"] == "switched_off"


def test_unpin_link(send, room):
    link = send("hostess", "pin_link", url="https://example.com/")["id"]
    assert send("speaker", "unpin_link", link=link)["code"] == "not_a_moderator"
    Room.objects.update(links=False)
    assert send("moderator", "unpin_link", link=link) == {"seq": 2}
    assert told_in(room)[-1] == ("link_unpinned", {"link": link})
    assert RoomAction.objects.get(action="unpin_link").data == {"link": link}
    refused = send("moderator", "unpin_link", link=link)
    assert (refused["code"], refused["field"]) == ("not_found", "link")
