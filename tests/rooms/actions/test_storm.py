"""Two moderators and one speaker, all at once, 200 times: whoever looks sees the same in the end.

Each of the three acts on a thread and a connection of their own. After every round the state that events lead to, a fresh snapshot,
the database, the newest policy on the bus, and the media engine that obeys it, must agree about the speaker.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from django.db import connection, transaction

from salon.common.errors import SalonError
from salon.common.ids import new_id
from salon.common.signing import sign_grant
from salon.config.environment import environment
from salon.relay import _engine
from salon.relay.grants import GrantRefused
from salon.relay.policies import read_policy
from salon.relay.relay import Relay
from salon.rooms import policy
from salon.rooms.actions.attendance import enter_room
from salon.rooms.domain import large_acts
from salon.rooms.messages import MESSAGES
from salon.rooms.models import Place, Removal, Room
from salon.rooms.policy import policy_of
from salon.streams.kinds import Watcher
from tests.fakes.bus import FakeBus
from tests.relay.test_engine_binding import OFFER
from tests.rooms.people import caller
from tests.rooms.test_events import Watch

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 200
COMMANDS_EACH = 2
PORT = 18722
OFFERS = {"listen": OFFER, "speak": OFFER.replace("recvonly", "sendonly")}
BY_MODERATORS = ("invite_to_stage", "mute_speaker", "hold_mute", "release_mute", "move_to_audience", "remove_person", "undo_removal")
BY_SPEAKER = ("enter", "accept_invitation", "raise_hand", "unmute", "mute")
REFUSALS = {
    "already_invited", "already_on_stage", "hand_already_raised", "already_muted", "not_muted", "not_held", "not_invited", "not_in_room",
    "not_on_stage", "not_removed", "mute_held", "not_found",
}  # fmt: skip


@dataclass
class Published:
    """The policies that were committed, as the bus delivers them: each once, in whatever order."""

    waiting: list[dict] = field(default_factory=list)

    def on_commit(self, subject, message):
        transaction.on_commit(lambda: self.waiting.append(dict(message)))

    def taken(self):
        taken, self.waiting = self.waiting, []
        return taken


@pytest.fixture
def published(monkeypatch):
    published = Published()
    monkeypatch.setattr(policy, "publish_on_commit", published.on_commit)
    return published


class Storm:
    def __init__(self, room, moderators, speaker):
        self.room, self.moderators, self.speaker = room, moderators, speaker
        self.outcomes: set[tuple[str, str | None]] = set()
        self._barrier = threading.Barrier(len(moderators) + 1)

    def promote(self):
        """Each round begins with the speaker on the stage, whatever the last one left; a mute that is held stays."""
        host = self.moderators[0]
        for person, name in (
            (host, "undo_removal"), (self.speaker, "enter"), (host, "invite_to_stage"), (self.speaker, "accept_invitation"),
            (self.speaker, "unmute"),
        ):  # fmt: skip
            self.outcomes.add((name, self._code_of(person, name)))

    def round(self, pool, chance):
        turns = [(person, [chance.choice(BY_MODERATORS) for _ in range(COMMANDS_EACH)]) for person in self.moderators]
        turns.append((self.speaker, [chance.choice(BY_SPEAKER) for _ in range(COMMANDS_EACH)]))
        for turn in [pool.submit(self._act, *turn) for turn in turns]:
            self.outcomes.update(turn.result())

    def end(self, pool):
        """Each thread gives its connection back."""
        for closed in [pool.submit(self._close) for _ in range(len(self.moderators) + 1)]:
            closed.result()

    def _act(self, person, names):
        self._barrier.wait()
        return [(name, self._code_of(person, name)) for name in names]

    def _code_of(self, person, name):
        try:
            if name == "enter":
                enter_room(self.room, person)
            else:
                message = MESSAGES[name]
                about = {"person": self.speaker.id} if "person" in message.fields.model_fields else {}
                reason = {"reason": "Echo"} if name == "hold_mute" else {}
                message.act(caller(person), self.room.id, message.fields(**about, **reason))
        except SalonError as refusal:
            return refusal.code
        return None

    def _close(self):
        self._barrier.wait()
        connection.close()


class Ears:
    """The speaker's sound sessions in a real engine, which obeys the policies that were published."""

    def __init__(self, relay, room, speaker):
        self.relay, self.room, self.speaker = relay, room, speaker

    def open(self, direction, epoch):
        """Raises GrantRefused."""
        grant = {
            "id": new_id(), "session": new_id(), "room": self.room.id, "person": self.speaker.id, "face": None, "direction": direction,
            "epoch": epoch, "expires": int(time.time()) + 60,
        }  # fmt: skip
        signed = sign_grant(grant, environment().secret_key)
        return self.relay.open_session(signed, OFFERS[direction], policy_of(Room.objects.get(id=self.room.id)))[0]

    def heard(self):
        """By direction, whether a session of theirs may be heard; a direction without a session is not in it."""
        return {truth.direction: truth.may_be_heard for truth in self.relay.engine.truth(self.room.id)}

    def close(self):
        for truth in self.relay.engine.truth(self.room.id):
            self.relay.close_session(truth.session, self.speaker.id)
        for event in self.relay.engine.poll_events(0):
            self.relay.note(event)

    def check(self, place, epoch_before):
        """place: the speaker's, now. epoch_before: of the sessions that were open when the round began."""
        removed_meanwhile = place.epoch > epoch_before
        assert ("listen" in self.heard()) is not removed_meanwhile, "only who was removed hears no more"
        if removed_meanwhile:
            with pytest.raises(GrantRefused):
                self.open("listen", epoch_before)
        if place.on_stage_since is None:
            assert "speak" not in self.heard()
            with pytest.raises(GrantRefused):
                self.open("speak", place.epoch)
        else:
            self.open("speak", place.epoch)
            assert self.heard()["speak"] is not place.muted


def check_room(room_state, place, speaker):
    """What everybody in the room sees of the speaker is what the database holds."""
    shown = [(member["muted"], member["held"], member["role"]) for member in room_state["stage"] if member["person"]["id"] == speaker.id]
    assert shown == ([(place.muted, place.held_at is not None, "speaker")] if place.on_stage_since else [])


def check_queue(hands_state, place, speaker):
    entries = [entry["invited"] for entry in hands_state["hands"] if entry["person"]["id"] == speaker.id]
    waits = place.hand_raised_at or place.invited_at
    assert entries == ([place.invited_at is not None] if waits else [])


def check_moderation(state, speaker):
    listed = any(removal["person"]["id"] == speaker.id for removal in state["removals"])
    assert listed is Removal.objects.filter(person=speaker, lifted_at=None).exists()


def check_own(state, place, room):
    mine = state["places"].get(room.id)
    assert (mine is None) is (place.left_at is not None)
    if mine is not None:
        assert (mine["on_stage"], mine["muted"], mine["held"] is not None) == (
            place.on_stage_since is not None, place.muted, place.held_at is not None,
        )  # fmt: skip


@pytest.fixture
def ears(room, speaker):
    engine = _engine.Engine(port=PORT, addresses=["127.0.0.1"], bind="127.0.0.1")
    yield Ears(Relay(environment(), engine, _engine, FakeBus()), room, speaker)
    engine.close()


@pytest.fixture
def nobody_asked_for_so_many_removals(monkeypatch):
    monkeypatch.setattr(large_acts, "REMOVALS_PER_MINUTE", 10**6)


@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("nobody_asked_for_so_many_removals")
def test_two_hundred_storms_end_in_one_state(room, cast, published, ears):
    host, moderator, speaker, _ = cast
    watches = [
        Watch(Watcher(host.id, None), f"room/{room.id}"), Watch(Watcher(host.id, None), f"hands/{room.id}"),
        Watch(Watcher(moderator.id, None), f"moderation/{room.id}"), Watch(Watcher(speaker.id, None), "person/me"),
        Watch(Watcher(host.id, None), "hallway"),
    ]  # fmt: skip
    storm, chance = Storm(room, (host, moderator), speaker), random.Random(20261123)
    with ThreadPoolExecutor(3) as pool:
        for n in range(ROUNDS):
            storm.promote()
            before = Place.objects.get(room=room, person=speaker)
            for direction in ("listen", "speak"):
                ears.open(direction, before.epoch)

            storm.round(pool, chance)

            for watch in watches:
                watch.check(f"round {n}")
            place = Place.objects.get(room=room, person=speaker)
            check_room(watches[0].state, place, speaker)
            check_queue(watches[1].state, place, speaker)
            check_moderation(watches[2].state, speaker)
            check_own(watches[3].state, place, room)
            policies = published.taken()
            for message in policies:
                ears.relay.apply(read_policy(message))
            if policies:
                assert max(policies, key=lambda message: message["version"]) == policy_of(Room.objects.get(id=room.id))
            ears.check(place, before.epoch)
            ears.close()
        storm.end(pool)
    assert {code for _, code in storm.outcomes} - {None} <= REFUSALS
    # It was a storm: each of these was carried out at some time.
    assert {name for name, code in storm.outcomes if code is None} == {*BY_MODERATORS, *BY_SPEAKER}
