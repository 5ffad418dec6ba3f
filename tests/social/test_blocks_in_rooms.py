"""What a block does in rooms, seen through the API alone: Anna has blocked Ben, or blocks him; Cleo is the third, Hera has the house."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import TestCase

from salon.accounts.models import Person
from salon.common.signing import read_grant
from salon.config.environment import environment
from salon.rooms import media
from salon.rooms.actions.truth import ClosedSession, record_closed
from salon.rooms.models import MediaSession, Place, Removal, Room
from salon.streams.models import StreamEvent
from tests.rooms.people import Api as RoomApi
from tests.social.people import NOT_FOUND, Api, refusal

pytestmark = pytest.mark.django_db
CANNOT_COME_UP = (409, "cannot_come_up")
STARTED_BY_ANNA = ("opened", "moderates", "speaks")


class Guest(Api, RoomApi):
    """Somebody at both parts of the API."""

    def __init__(self, person: Person | None = None) -> None:
        super().__init__(person)
        self.id = person.id if person else ""
        self.handle = person.handle if person else ""

    def sees(self, room: str) -> bool:
        """The room itself and the hallway say the same."""
        found = self.get(f"rooms/{room}")
        listed = room in [card["id"] for card in self.get("hallway").json()["rooms"]]
        assert (found.status_code == 200) is listed, (found.status_code, listed)
        return listed

    def enters(self, room: str) -> bool:
        answer = self.sound(room, "listen")
        assert answer.status_code in (201, 404), answer.content
        return answer.status_code == 201

    def blocks(self, other: "Guest") -> None:
        with TestCase.captureOnCommitCallbacks(execute=True):  # what follows from a block follows after its commit
            assert self.put(f"people/{other.handle}/block").status_code == 204

    def unblocks(self, other: "Guest") -> None:
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert self.delete(f"people/{other.handle}/block").status_code == 204

    def does(self, room: str, name: str, **fields: object) -> None:
        answer = self.command(room, name, **fields)
        assert answer.status_code == 200, (name, answer.content)

    def refused(self, room: str, name: str, **fields: object) -> tuple[int, str]:
        answer = self.command(room, name, **fields)
        return answer.status_code, answer.json()["code"]

    def place(self, room: str) -> dict[str, Any] | None:
        return dict(mine) if (mine := self.mine(room)) else None


@dataclass
class Cast:
    hera: Guest
    anna: Guest
    ben: Guest
    cleo: Guest
    visitor: Guest

    def room(self, anna: str | None = None, **settings: object) -> str:
        """A live room with Hera in it. anna: `opened` it, `moderates`, `speaks`, `listens`, or is not there (None)."""
        opener = self.anna if anna == "opened" else self.hera
        opened = opener.post("rooms", {"title": "Evening talk", "language": "en", **settings})
        assert opened.status_code == 201, opened.content
        room = str(opened.json()["id"])
        if anna == "opened":
            assert self.anna.enters(room)
            if settings.get("visibility"):
                self.anna.does(room, "invite_in", person=self.hera.id)
        assert self.hera.enters(room)
        if anna:
            assert self.anna.enters(room)
        if anna == "moderates":
            self.hera.does(room, "appoint_moderator", person=self.anna.id)
        if anna == "speaks":
            self.bring_up(room, self.anna)
        return room

    def bring_up(self, room: str, guest: Guest, *, by: Guest | None = None) -> None:
        (by or self.hera).does(room, "invite_to_stage", person=guest.id)
        guest.does(room, "accept_invitation")


@pytest.fixture(autouse=True)
def media_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every offer is answered: entering needs a media process, and none runs here."""

    def open_session(grant: str, offer: str, policy: object, source: str) -> media.OpenedSession:
        return media.OpenedSession(read_grant(grant, environment().secret_key, now=0)["session"], "v=0 answer", '"etag"')

    monkeypatch.setattr(media, "open_session", open_session)
    monkeypatch.setattr(media, "close_session", lambda session, owner: None)


@pytest.fixture
def cast(person: Callable[..., Person]) -> Cast:
    return Cast(*(Guest(person(handle)) for handle in ("hera", "anna", "benny", "cleo")), Guest())


@pytest.mark.parametrize("anna", STARTED_BY_ANNA)
def test_blocked_neither_sees_nor_enters_a_room_that_the_blocker_runs_or_speaks_in(cast, anna):
    cast.anna.blocks(cast.ben)
    room = cast.room(anna)
    assert not cast.ben.sees(room)
    assert not cast.ben.enters(room)
    missing = cast.ben.get(f"rooms/{'a' * 26}")
    assert cast.ben.get(f"rooms/{room}").content == missing.content
    assert (*cast.ben.refused(room, "raise_hand"), None) == NOT_FOUND
    for other in (cast.cleo, cast.anna, cast.visitor):
        assert other.sees(room)
    assert cast.cleo.enters(room)


@pytest.mark.parametrize("anna", STARTED_BY_ANNA)
def test_unblocked_sees_and_enters_again(cast, anna):
    cast.anna.blocks(cast.ben)
    room = cast.room(anna)
    cast.anna.unblocks(cast.ben)
    assert cast.ben.sees(room)
    assert cast.ben.enters(room)


def test_room_comes_back_when_the_blocker_steps_down_and_goes_when_they_come_up(cast):
    cast.anna.blocks(cast.ben)
    room = cast.room("listens")
    assert cast.ben.sees(room)
    cast.bring_up(room, cast.anna)
    assert not cast.ben.sees(room)
    cast.anna.does(room, "step_down")
    assert cast.ben.sees(room)
    assert cast.ben.enters(room)


@pytest.mark.parametrize("visibility", ["social", "closed"])
def test_being_invited_in_does_not_open_the_room_of_a_blocker(cast, visibility):
    room = cast.room("opened", visibility=visibility)
    cast.anna.does(room, "invite_in", person=cast.ben.id)
    assert cast.ben.sees(room)
    cast.anna.blocks(cast.ben)
    assert not cast.ben.sees(room)
    assert not cast.ben.enters(room)


def test_both_in_the_audience_nothing_happens_and_nobody_is_told(cast):
    room = cast.room("listens")
    assert cast.ben.enters(room)
    before = cast.ben.place(room), cast.ben.state(room), cast.anna.place(room), StreamEvent.objects.count()
    cast.anna.blocks(cast.ben)
    assert (cast.ben.place(room), cast.ben.state(room), cast.anna.place(room), StreamEvent.objects.count()) == before
    assert cast.ben.sees(room)
    cast.ben.does(room, "raise_hand")
    cast.bring_up(room, cast.ben)
    assert cast.ben.place(room)["on_stage"]


def test_both_in_the_audience_the_blocker_cannot_be_barred_by_whom_they_blocked(cast):
    """A block looks one way: the blocker comes up beside whom they blocked, if they want to."""
    room = cast.room("listens")
    assert cast.ben.enters(room)
    cast.anna.blocks(cast.ben)
    cast.bring_up(room, cast.ben)
    cast.bring_up(room, cast.anna)
    assert cast.anna.place(room)["on_stage"] and cast.ben.place(room)["on_stage"]


def test_blocker_on_the_stage_keeps_the_blocked_in_the_audience_and_the_reason_unsaid(cast):
    room = cast.room("speaks")
    for guest in (cast.ben, cast.cleo):
        assert guest.enters(room)
    cast.anna.blocks(cast.ben)
    assert cast.ben.place(room)["role"] == "listener"

    cast.ben.does(room, "raise_hand")
    by_name = cast.hera.command(room, "invite_to_stage", person=cast.ben.id)
    assert refusal(by_name) == (*CANNOT_COME_UP, "person")
    assert cast.hera.refused(room, "invite_next") == (409, "nobody_to_invite")
    assert "block" not in by_name.json()["message"].lower()
    assert not cast.ben.place(room)["on_stage"]

    cast.bring_up(room, cast.cleo)
    assert cast.cleo.place(room)["on_stage"]


def test_blocked_while_invited_cannot_accept_until_the_blocker_has_stepped_down(cast):
    room = cast.room("speaks")
    assert cast.ben.enters(room)
    cast.hera.does(room, "invite_to_stage", person=cast.ben.id)
    cast.anna.blocks(cast.ben)
    answer = cast.ben.command(room, "accept_invitation")
    assert refusal(answer) == (*CANNOT_COME_UP, None)
    assert "block" not in answer.json()["message"].lower()
    cast.anna.does(room, "step_down")
    cast.ben.does(room, "accept_invitation")
    assert cast.ben.place(room)["on_stage"]


def test_blocked_cannot_step_up_to_an_open_stage(cast):
    room = cast.room("speaks", hand_policy="open_stage")
    for guest in (cast.ben, cast.cleo):
        assert guest.enters(room)
    cast.anna.blocks(cast.ben)
    assert cast.ben.refused(room, "step_up") == CANNOT_COME_UP
    cast.cleo.does(room, "step_up")


def test_a_speakers_block_moves_nobody_who_is_up_already(cast):
    """A block never lets one silence another: only moderators take people off a stage."""
    room = cast.room("speaks")
    assert cast.ben.enters(room)
    cast.bring_up(room, cast.ben)
    before = cast.ben.place(room), cast.ben.state(room)
    cast.anna.blocks(cast.ben)
    assert (cast.ben.place(room), cast.ben.state(room)) == before


@pytest.mark.parametrize("anna", ["opened", "moderates"])
@pytest.mark.parametrize("where", ["in the audience", "on the stage"])
def test_a_moderators_block_removes_the_blocked_at_once_and_nobody_else(cast, anna, where):
    room = cast.room(anna)
    for guest in (cast.ben, cast.cleo):
        assert guest.enters(room)
    if where == "on the stage":
        cast.bring_up(room, cast.ben, by=cast.anna)
    before = cast.cleo.place(room), cast.hera.place(room)
    cast.anna.blocks(cast.ben)
    assert refusal(cast.ben.get(f"rooms/{room}")) == NOT_FOUND
    assert refusal(cast.ben.sound(room, "speak")) == NOT_FOUND
    assert not cast.ben.enters(room)
    assert cast.ben.id not in [member["person"]["id"] for member in cast.cleo.state(room)["stage"]]
    assert (cast.cleo.place(room), cast.hera.place(room)) == before


def test_a_moderators_block_ends_the_sound_that_the_blocked_has_there(cast):
    """Grants and sessions of an older epoch are dead, in the media process too."""
    room = cast.room("moderates")
    for guest in (cast.ben, cast.cleo):
        assert guest.enters(room)

    def epochs() -> dict[str, int]:
        return dict(Place.objects.filter(room=room).values_list("person__handle", "epoch"))

    before = epochs()
    version = Room.objects.get(pk=room).policy_version
    cast.anna.blocks(cast.ben)
    assert epochs() == {**before, "benny": before["benny"] + 1}
    assert Room.objects.get(pk=room).policy_version == version + 1


def test_whose_sound_a_block_ended_is_not_asked_to_come_back(cast):
    """The media process says `removed` of every session whose epoch is over; whoever only lost it elsewhere would be told `timed_out`."""
    room = cast.room("moderates")
    assert cast.ben.enters(room)
    session = MediaSession.objects.get(person=cast.ben.id).id
    cast.anna.blocks(cast.ben)
    record_closed([ClosedSession(session, "removed")])
    assert StreamEvent.objects.get(kind="session_ended").data == {"session": session, "room": room, "reason": "removed"}


def test_what_keeps_the_blocked_out_is_the_block_and_no_removal(cast):
    room = cast.room("moderates")
    assert cast.ben.enters(room)
    cast.anna.blocks(cast.ben)
    assert not Removal.objects.exists()
    cast.anna.unblocks(cast.ben)
    assert cast.ben.enters(room)
    assert cast.ben.place(room)["role"] == "listener"


def test_a_moderators_block_reaches_each_room_they_moderate_and_no_other(cast):
    here = cast.room("moderates")
    assert cast.ben.enters(here)
    cast.anna.blocks(cast.cleo)  # who is nowhere
    elsewhere = cast.room("listens")
    assert cast.ben.enters(elsewhere)
    cast.anna.blocks(cast.ben)
    assert not cast.ben.sees(here)
    assert cast.ben.sees(elsewhere)


def test_a_moderators_block_removes_neither_the_host_nor_another_moderator(cast):
    room = cast.room("moderates")
    assert cast.ben.enters(room)
    cast.hera.does(room, "appoint_moderator", person=cast.ben.id)
    before = cast.ben.place(room), cast.hera.place(room)
    cast.anna.blocks(cast.ben)
    cast.anna.blocks(cast.hera)
    assert (cast.ben.place(room), cast.hera.place(room)) == before


def test_the_hosts_block_removes_a_moderator(cast):
    room = cast.room("opened")
    assert cast.ben.enters(room)
    cast.anna.does(room, "appoint_moderator", person=cast.ben.id)
    cast.bring_up(room, cast.ben, by=cast.anna)
    cast.anna.blocks(cast.ben)
    assert not cast.ben.sees(room)
    assert not cast.ben.enters(room)
    assert [member["person"]["handle"] for member in cast.hera.state(room)["stage"]] == ["anna"]


def test_the_blocked_who_was_in_first_stays_when_the_blocker_comes_up(cast):
    cast.anna.blocks(cast.ben)
    room = cast.room("listens")
    assert cast.ben.enters(room)
    cast.bring_up(room, cast.anna)
    assert cast.ben.get(f"rooms/{room}").status_code == 200
    assert cast.ben.place(room)["role"] == "listener"
    cast.ben.does(room, "leave_room")
    assert not cast.ben.sees(room)
    assert not cast.ben.enters(room)


def test_a_room_in_which_somebody_i_blocked_speaks_is_folded_for_me_alone(cast):
    cast.anna.blocks(cast.ben)
    room = cast.room()
    assert cast.ben.enters(room)

    def folded(guest: Guest) -> bool:
        return bool(next(card["folded"] for card in guest.get("hallway").json()["rooms"] if card["id"] == room))

    assert not folded(cast.anna)
    cast.bring_up(room, cast.ben)
    assert folded(cast.anna)
    assert not any(folded(guest) for guest in (cast.ben, cast.cleo, cast.hera, cast.visitor))
    assert cast.anna.enters(room)
    cast.anna.unblocks(cast.ben)
    assert not folded(cast.anna)


def test_no_call_brings_the_blocked_to_the_blocker(cast):
    """Hera may call Ben, who follows her; but not into Anna's room once Anna has blocked him."""
    room = cast.room("opened")
    assert cast.ben.put("people/hera/follow").status_code == 204
    cast.hera.does(room, "ping", person=cast.ben.id)
    cast.anna.blocks(cast.ben)
    assert cast.hera.refused(room, "ping", person=cast.ben.id) == (403, "cannot_ping")
