"""Any sequence of commands by anybody, against a model that is a handful of plain lists written apart from the rules."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from salon.rooms.domain import hands, lifecycle, stage
from salon.rooms.domain.room_stage import (
    HandInvited,
    HandQueued,
    HandsCleared,
    HandUnqueued,
    MuteChanged,
    PersonId,
    RoomClosed,
    RoomStage,
    StageJoined,
    StageLeft,
    StagePlace,
)
from salon.rooms.enums import Phase, Role
from salon.rooms.errors import RoomsError

PEOPLE = [PersonId(name) for name in ("host", "mod1", "mod2", "ann", "ben", "cleo")]
MODERATORS = {"host", "mod1", "mod2"}
people = st.sampled_from(PEOPLE)


class Model:
    """The promises in words of lists: who is in, who stands on the stage, whose hand is up, who is invited, who is muted."""

    def __init__(self):
        self.ended = False
        self.inside = set(PEOPLE)
        self.stage = ["host"]
        self.queue = []
        self.hands = set()
        self.invited = set()
        self.accepted = {"host"}
        self.muted = set()
        self.kept = set()
        self.moderators = set(MODERATORS)

    def out(self, person):
        self.inside.discard(person)
        self.down(person)
        self.unqueue(person)

    def down(self, person):
        if person in self.stage:
            self.stage.remove(person)
        self.muted.discard(person)
        if person != "host":
            self.accepted.discard(person)

    def unqueue(self, person):
        if person in self.queue:
            self.queue.remove(person)
        self.hands.discard(person)
        self.invited.discard(person)


class Rooms(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        roles = {person: Role.MODERATOR if person in MODERATORS else Role.LISTENER for person in PEOPLE} | {PEOPLE[0]: Role.HOST}
        places = {p: StagePlace(person=p, csrc=n, role=roles[p]) for n, p in enumerate(PEOPLE, start=1)}
        places[PEOPLE[0]] = StagePlace(person=PEOPLE[0], csrc=1, role=Role.HOST, on_stage_since=self.now)
        self.room = RoomStage(Phase.LIVE, places)
        self.model = Model()
        self.watched_stage, self.watched_hands = ["host"], []

    def attempt(self, command, allowed: bool) -> bool:
        """Run a command; it must be refused exactly where the model says so. Whether it was carried out."""
        try:
            outcome = command()
        except RoomsError:
            assert not allowed
            return False
        assert allowed
        self.room = outcome.stage
        for happening in outcome.happened:
            self.watch(happening)
        return True

    def watch(self, happening):
        """What a watcher knows who has heard only of the happenings."""
        match happening:
            case StageJoined(person):
                self.watched_stage.append(person)
            case StageLeft(person):
                self.watched_stage.remove(person)
            case HandQueued(person):
                self.watched_hands.append(person)
            case HandUnqueued(person):
                self.watched_hands.remove(person)
            case HandsCleared():
                self.watched_hands.clear()
            case RoomClosed():
                self.watched_stage.clear()
            case MuteChanged() | HandInvited():
                pass

    def may_moderate(self, actor):
        return not self.model.ended and actor in self.model.inside and actor in self.model.moderators

    def live_and_in(self, actor):
        return not self.model.ended and actor in self.model.inside

    def has_power(self, actor, person):
        return person != "host" and (actor == "host" or person not in self.model.moderators)

    @rule(seconds=st.integers(-30, 100))
    def time_passes(self, seconds):
        """Clocks of several machines may even go back a little."""
        self.now += timedelta(seconds=seconds)

    @rule(actor=people)
    def raise_hand(self, actor):
        m = self.model
        allowed = self.live_and_in(actor) and actor not in m.stage and actor not in m.queue
        if self.attempt(lambda: hands.raise_hand(self.room, actor, self.now), allowed):
            m.queue.append(actor)
            m.hands.add(actor)

    @rule(actor=people)
    def lower_hand(self, actor):
        if self.attempt(lambda: hands.lower_hand(self.room, actor), self.live_and_in(actor) and actor in self.model.hands):
            self.model.unqueue(actor)

    @rule(actor=people, person=people)
    def invite(self, actor, person):
        m = self.model
        allowed = self.may_moderate(actor) and person in m.inside and person not in m.stage and person not in m.invited
        if self.attempt(lambda: hands.invite_to_stage(self.room, actor, person, self.now), allowed):
            m.invited.add(person)
            if person not in m.queue:
                m.queue.append(person)

    @rule(actor=people)
    def accept(self, actor):
        m = self.model
        if self.attempt(lambda: stage.accept_invitation(self.room, actor, self.now), self.live_and_in(actor) and actor in m.invited):
            m.unqueue(actor)
            m.stage.append(actor)
            m.accepted.add(actor)

    @rule(actor=people)
    def decline(self, actor):
        if self.attempt(lambda: hands.decline_invitation(self.room, actor), self.live_and_in(actor) and actor in self.model.invited):
            self.model.unqueue(actor)

    @rule(actor=people)
    def mute(self, actor):
        m = self.model
        if self.attempt(lambda: stage.mute(self.room, actor), self.live_and_in(actor) and actor in m.stage and actor not in m.muted):
            m.muted.add(actor)

    @rule(actor=people)
    def unmute(self, actor):
        m = self.model
        if self.attempt(lambda: stage.unmute(self.room, actor), self.live_and_in(actor) and actor in m.muted):
            m.muted.discard(actor)

    @rule(actor=people, person=people)
    def mute_speaker(self, actor, person):
        m = self.model
        allowed = self.may_moderate(actor) and person in m.stage and person not in m.muted
        if self.attempt(lambda: stage.mute_speaker(self.room, actor, person), allowed):
            m.muted.add(person)

    @rule(actor=people)
    def step_down(self, actor):
        if self.attempt(lambda: stage.step_down(self.room, actor), self.live_and_in(actor) and actor in self.model.stage):
            self.model.down(actor)

    @rule(actor=people, person=people)
    def move_to_audience(self, actor, person):
        allowed = self.may_moderate(actor) and person in self.model.stage and (actor == person or self.has_power(actor, person))
        if self.attempt(lambda: stage.move_to_audience(self.room, actor, person), allowed):
            self.model.down(person)

    @rule(actor=people, person=people)
    def remove(self, actor, person):
        epoch = self.room.places[person].epoch
        if self.attempt(
            lambda: lifecycle.remove_person(self.room, actor, person), self.may_moderate(actor) and self.has_power(actor, person)
        ):
            self.model.out(person)
            self.model.kept.discard(person)
            self.model.moderators.discard(person)
            assert self.room.places[person].epoch == epoch + 1

    @rule(actor=people)
    def leave(self, actor):
        if self.attempt(lambda: lifecycle.leave_room(self.room, actor), self.live_and_in(actor)):
            self.model.out(actor)

    @rule(actor=people)
    def lose_connection_and_return_at_once(self, actor):
        m = self.model
        before = self.room.places[actor]
        if not self.attempt(lambda: lifecycle.lose_connection(self.room, actor, self.now), self.live_and_in(actor)):
            return
        on_stage, muted = actor in m.stage, actor in m.muted
        m.out(actor)
        assert self.attempt(lambda: lifecycle.enter(self.room, actor, self.now), True)
        m.inside.add(actor)
        if on_stage or actor == "host":
            m.stage.append(actor)
            m.accepted.add(actor)
            m.muted |= {actor} if muted else set()
        assert self.room.places[actor].role is before.role

    @rule(actor=people)
    def enter(self, actor):
        m = self.model
        was_in = actor in m.inside
        if self.attempt(lambda: lifecycle.enter(self.room, actor, self.now), not m.ended) and not was_in:
            m.inside.add(actor)
            if actor == "host":
                m.stage.append(actor)

    @rule(actor=people, really=st.integers(0, 9))
    def end(self, actor, really):
        if really:
            return  # seldom: most runs shall go on
        allowed = self.may_moderate(actor) or (actor == "host" and not self.model.ended)
        if self.attempt(lambda: lifecycle.end_room(self.room, actor), allowed):
            self.model.ended = True
            for person in PEOPLE:
                self.model.out(person)

    @invariant()
    def agrees_with_the_model(self):
        m = self.model
        assert [place.person for place in self.room.on_stage()] == m.stage
        assert [place.person for place in self.room.queue()] == m.queue
        assert {place.person for place in self.room.hands()} == m.hands
        assert {p for p, place in self.room.places.items() if place.invited_at} == m.invited
        assert {p for p, place in self.room.places.items() if place.is_in} == m.inside
        assert {p for p, place in self.room.places.items() if place.muted and place.on_stage} == m.muted

    @invariant()
    def nobody_is_on_the_stage_who_did_not_accept_except_the_host(self):
        assert set(self.model.stage) <= self.model.accepted | {"host"}

    @invariant()
    def a_watcher_of_the_happenings_knows_stage_and_queue(self):
        assert self.watched_stage == self.model.stage
        assert self.watched_hands == self.model.queue


TestRooms = Rooms.TestCase
TestRooms.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
