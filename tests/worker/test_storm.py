"""Everything at once in two rooms: every command, calls and blocks, coming and going, the line, and the keeper's rounds.

Each thread has a connection of its own and a small choice of people and things, so that they meet. Refusals are answers. What nobody
may get is an error of the database: transactions that wait for each other in a circle, or a constraint that a rule forgot.
"""

import random
import threading
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from django.db import connection
from django.utils import timezone

from salon.accounts.actions.cut import cut
from salon.common.errors import SalonError
from salon.common.ids import new_id
from salon.conversation import rate_limits as conversation_limits
from salon.conversation.models import ChatMessage, Link, Poll, Question
from salon.rooms import rate_limits
from salon.rooms.actions import line, sound
from salon.rooms.actions.attendance import enter_room
from salon.rooms.actions.open_room import open_room
from salon.rooms.actions.truth import ClosedSession, confirm_connections, list_audience, record_closed
from salon.rooms.commands import Terms, run_named
from salon.rooms.domain import large_acts
from salon.rooms.enums import HandPolicy, Role, Visibility
from salon.rooms.messages import MESSAGES
from salon.rooms.models import MediaSession, Place, Room, SecondModeratorRequest
from salon.social.actions.blocks import block, unblock
from salon.social.actions.follows import follow
from salon.streams.events import newest_seq
from salon.worker.due import due
from salon.worker.talk_times import count_talk
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db(transaction=True)

SEED = 20261123
TURNS = 150
STRANGERS = 3


@dataclass
class Storm:
    rooms: list
    people: list
    codes: set = field(default_factory=set)
    done: set = field(default_factory=set)
    faults: list = field(default_factory=list)

    def run(self, *acts_of_threads):
        threads = [threading.Thread(target=self._thread, args=(n, acts)) for n, acts in enumerate(acts_of_threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _thread(self, n, act):
        chance = random.Random(SEED + n)
        try:
            for _ in range(TURNS):
                try:
                    self.done.add(act(chance))
                except SalonError as refusal:
                    self.codes.add(refusal.code)
                except Exception as fault:  # whatever it is, it is reported
                    self.faults.append(f"{type(fault).__name__}: {fault}")
        finally:
            connection.close()

    def use(self, chance):
        """What somebody does on one of their devices: commands, mostly, and sound."""
        room, person = chance.choice(self.rooms), chance.choice(self.people)
        match chance.random():
            case x if x < 0.25:
                return self._listen(room, person)
            case x if x < 0.29:
                return self._social(chance, person)
            case x if x < 0.32:
                line.ask_line(caller(person), room.id)
                line.leave_line(caller(person), room.id)
                return "line"
            case _:
                return self._command(chance, room, person)

    def _command(self, chance, room, person):
        name = chance.choice(NAMES)
        if chance.random() < 0.5:
            with suppress(SalonError):
                enter_room(room, person)
        key = new_id() if chance.random() < 0.3 else None
        seq = newest_seq(f"room/{room.id}") if chance.random() < 0.3 else None
        run_named(caller(person), room.id, name, self._fields(chance, name, room), Terms(key, seq))
        return name

    def _fields(self, chance, name, room):  # noqa: PLR0911, PLR0912  (a table)
        match name:
            case "edit_room":
                return chance.choice(EDITS)
            case "set_status":
                return {"status": chance.choice(["on_a_call", None])}
            case "invite_several":
                return {"people": [person.id for person in chance.sample(self.people, 3)]}
            case "post_message" | "ask_question":
                return {"text": "Hello"}
            case "delete_message":
                return {"message": _newest(ChatMessage, room)}
            case "take_question":
                return {"question": _newest(Question, room), "how": chance.choice(["invite", "read"])}
            case "vote_question" | "unvote_question" | "close_question":
                return {"question": _newest(Question, room)}
            case "pin_link":
                return {"url": "https://example.com/"}
            case "unpin_link":
                return {"link": _newest(Link, room)}
            case "react":
                return {"kind": "clap"}
            case "open_poll":
                return {"question": "Now?", "options": ["Yes", "No"]}
            case "vote_poll":
                return {"poll": _newest(Poll, room), "option": 1}
            case "close_poll":
                return {"poll": _newest(Poll, room)}
            case "confirm_request" | "refuse_request":
                return {"request": _newest(SecondModeratorRequest, room)}
            case "hold_mute":
                return {"person": chance.choice(self.people).id, "reason": "Echo"}
            case "remove_person":
                return {"person": chance.choice(self.people).id, "minutes": chance.choice([None, 1])}
        return {"person": chance.choice(self.people).id} if "person" in MESSAGES[name].fields.model_fields else {}

    def _listen(self, room, person):
        sound.listen(caller(person), room.id, "v=0")
        return "listen"

    def _social(self, chance, person):
        other = chance.choice(self.people).handle
        chance.choice([block, unblock, unblock, follow])(person, other)
        return "social"

    def keep(self, chance):
        """What the keeper does when media tells it so, or when it is time."""
        room = chance.choice(self.rooms)
        sessions = list(MediaSession.objects.filter(ended_at=None).order_by("?")[:3])
        match chance.randrange(7):
            case 0:
                record_closed([ClosedSession(session.id, "timed_out") for session in sessions])
            case 1:
                for session in sessions:
                    confirm_connections([session.id])
            case 2:
                Room.objects.filter(grace_ends_at__isnull=False).update(grace_ends_at=timezone.now())
                SecondModeratorRequest.objects.filter(settled_at=None).update(expires_at=timezone.now())
                for settle, what in due():
                    settle(what)
            case 3:
                line.admit_from_all_lines()
            case 4:
                list_audience(room, chance.randrange(9))
            case 5:
                count_talk("n 1", {(room.id, person.id): chance.randrange(10**6) for room in self.rooms for person in self.people})
            case 6:
                cut(chance.choice(self.people))
        return "keep"


EDITS = [
    {"stage_locked": True}, {"stage_locked": False}, {"stage_locked": False}, {"hand_policy": HandPolicy.OPEN_STAGE}, {"fair_floor": True},
    {"hand_policy": HandPolicy.EVERYONE}, {"hand_policy": HandPolicy.EVERYONE}, {"locked": True}, {"locked": False}, {"title": "Another"},
    {"capacity": 3}, {"capacity": 40}, {"visibility": Visibility.OPEN}, {"chat": False}, {"chat": True}, {"slow_mode_secs": 0},
]  # fmt: skip
# The end of a room would end the storm; `ping` is for people who are close.
NAMES = sorted(MESSAGES.keys() - {"end_room"})


def _newest(model, room):
    newest = model.objects.filter(room=room).order_by("-pk" if model is SecondModeratorRequest else "-seq").first()
    return newest.id if newest else "a" * 26


@pytest.fixture
def unlimited(monkeypatch):
    """Rates are about load; here all that load is wanted."""
    for module in (rate_limits, conversation_limits):
        for name in vars(module):
            if name.isupper():
                monkeypatch.setattr(getattr(module, name), "take", lambda who: None)
    monkeypatch.setattr(large_acts, "REMOVALS_PER_MINUTE", 2)


@pytest.fixture
def rooms(cast, person):
    host, moderator, *_ = cast
    rooms = [open_room(host, title="One", language="en"), open_room(moderator, title="Two", language="en")]
    for room in rooms:
        for somebody in cast:
            enter_room(room, somebody)
        Place.objects.filter(room=room, person__in=[host, moderator], role=Role.LISTENER).update(role=Role.MODERATOR, ever_moderated=True)
    return rooms


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("media_process", "unlimited")
def test_whatever_happens_at_once_nobody_waits_in_a_circle(rooms, cast, person):
    people = [*cast, *(person(f"stranger{n}") for n in range(STRANGERS))]
    storm = Storm(rooms, people)
    storm.run(*[storm.use] * 5, *[storm.keep] * 2)
    assert storm.faults == []
    # It was a storm: nearly everything was carried out at some time.
    assert len(storm.done) > len(NAMES) * 2 / 3
