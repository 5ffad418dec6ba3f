"""Reads with more than one caller. Each takes a fixed number of queries, however many rooms or people it answers for."""

from django.db.models import QuerySet

from salon.accounts.callers import Caller
from salon.accounts.models import Person
from salon.rooms.access import folded_among, live_rooms_for, without_blocked
from salon.rooms.domain.hands import hand_positions
from salon.rooms.domain.room_stage import PersonId
from salon.rooms.enums import Phase, Role, Visibility
from salon.rooms.languages import primary
from salon.rooms.models import Place, Room
from salon.rooms.ranking import Glance, Reader, ranked, why
from salon.rooms.shapes import HandEntry, MyPlace, RoomBody, RoomCard, RoomState, hand_entry, my_place, room_card, room_state
from salon.rooms.stages import Seats, seats_of, seats_of_all, seats_on_stage

# More rooms than one looks through; the ranking decides which.
_HALLWAY_LENGTH = 200


def hallway(caller: Caller, *, language: str | None = None) -> list[RoomCard]:
    """The live rooms the caller may enter, best first for them. language: only rooms in it (`fr` finds `fr-CA`)."""
    rooms = live_rooms_for(caller)
    if language:
        rooms = [room for room in rooms if primary(room.language) == primary(language)]
    reader = reader_of(caller)
    best = ranked(rooms, _glance, reader)[:_HALLWAY_LENGTH]
    seats = seats_on_stage(best)
    return [room_card(room, seats[room.id].stage, seats[room.id].faces, why(_glance(room), reader), folded=room.is_folded) for room in best]


def reader_of(caller: Caller) -> Reader:
    """A visitor, and a person who named no language, is taken to speak the language they read Salon in."""
    named = caller.person.languages if caller.person else []
    return Reader.speaking(named or [caller.language])


def room_body(caller: Caller, room: Room) -> RoomBody:
    """room: by the door for the caller, or opened by them just now."""
    people = [caller.person.id] if caller.person else []
    seats = seats_of(room, *people)
    reader = reader_of(caller)
    card = room_card(room, seats.stage, seats.faces, why(_glance(room), reader), folded=room.is_folded)
    mine = _my_place(seats, people[0]) if people else None
    return {**card, "state": room_state(room, seats.stage, seats.faces), "mine": mine}


def card_for(person: Person, room: Room) -> RoomCard:
    """One room, to be shown to one person apart from the hallway. room: with its host loaded."""
    seats = seats_on_stage([room])[room.id]
    return room_card(room, seats.stage, seats.faces, folded=bool(folded_among([room], Caller(person, None, ""))))


def listed_cards(*, hidden_from: str | None = None) -> list[RoomCard]:
    """What the hallway's stream is about: open live rooms, for nobody in particular.

    hidden_from: a person for whom the rooms of those who blocked them are left out, as they are of the events in the gateway: also the room
    that this person happens to be in.
    """
    rooms = open_live_rooms().select_related("host")
    return _cards(list(rooms if hidden_from is None else without_blocked(rooms, hidden_from)))


def _cards(rooms: list[Room]) -> list[RoomCard]:
    seats = seats_on_stage(rooms)
    return [room_card(room, seats[room.id].stage, seats[room.id].faces) for room in rooms]


def open_live_rooms() -> QuerySet[Room]:
    return Room.objects.filter(phase=Phase.LIVE, visibility=Visibility.OPEN)


def state_of(room: Room) -> RoomState:
    """room: with its host loaded."""
    seats = seats_of(room)
    return room_state(room, seats.stage, seats.faces)


def hands_of(room: Room) -> list[HandEntry]:
    seats = seats_of(room)
    return [hand_entry(place, seats.faces) for place in seats.stage.queue()]


def places_of(person_id: str) -> dict[str, MyPlace]:
    """One's places by room, wherever one is in."""
    rooms = list(Room.objects.filter(places__person=person_id, places__left_at=None))
    seats = seats_of_all(rooms, person_id)
    places = {room.id: _my_place(seats[room.id], person_id) for room in rooms}
    return {room: place for room, place in places.items() if place is not None}


def my_place_in(room: Room, person: Person) -> MyPlace | None:
    return _my_place(seats_of(room, person.id), person.id)


def moderates(person_id: str, room_id: str) -> bool:
    """Whether somebody is in the room and may run its stage."""
    return Place.objects.filter(room=room_id, person=person_id, left_at=None, role__in=[Role.HOST, Role.MODERATOR]).exists()


def _my_place(seats: Seats, person_id: str) -> MyPlace | None:
    return my_place(seats.stage, PersonId(person_id), seats.faces, hand_positions(seats.stage))


def _glance(room: Room) -> Glance:
    return Glance(primary(room.language), room.audience, room.opened_at)
