"""Any sequence of commands by anybody, against room_model.py, with every invariant of docs/subsystems/stage.md watched at each step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from salon.rooms.domain import editing, hands, large_acts, lifecycle, moderators, mutes, silence, stage, succession
from salon.rooms.domain.people import Acquaintance
from salon.rooms.domain.room_stage import (
    HandInvited,
    HandQueued,
    HandsCleared,
    HandUnqueued,
    MuteChanged,
    PersonId,
    RoleChanged,
    RoomClosed,
    RoomStage,
    StageJoined,
    StageLeft,
    StagePlace,
    StageRules,
    StatusChanged,
    with_place,
)
from salon.rooms.domain.standing import Standing
from salon.rooms.enums import HandPolicy, Phase, Role, Status, Visibility
from salon.rooms.errors import RoomsError
from tests.rooms.domain.room_model import CLUB_MEMBERS, MODERATED_ELSEWHERE, OPENER, PEOPLE, RoomModel

everybody = [PersonId(person) for person in PEOPLE]
everybody = [PersonId(person) for person in PEOPLE]
WIDENING = [Visibility.CLOSED, Visibility.SOCIAL, Visibility.OPEN]
MAY_COME_UP = {"accept_invitation", "step_up", "enter"}
ANYTHING = 0.15
seeds = st.integers(0, 2**64 - 1)


COMMANDS = []
"""Everything that can happen next, and when it makes sense."""


def step(makes_sense=lambda model: True):
    """One thing that happens: drawn where it makes sense, and now and then where it does not, to be refused."""

    def register(happen):
        COMMANDS.append((happen, makes_sense))
        return happen

    return register


class Rooms(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        self.model = RoomModel()
        self.random = Random(0)
        places = {PersonId(person): StagePlace(person=PersonId(person), csrc=n) for n, person in enumerate(PEOPLE, start=1)}
        for person in ("mod1", "mod2"):
            places[person] = replace(places[person], role=Role.MODERATOR, ever_moderated=True)
        places[OPENER] = replace(places[OPENER], role=Role.HOST, ever_moderated=True, on_stage_since=self.now)
        self.room = RoomStage(Phase.LIVE, places, StageRules(opener=PersonId(OPENER), visibility=Visibility.CLOSED))
        self.watched_stage, self.watched_queue = {OPENER: (Role.HOST, False, False, None)}, {}

    @initialize(seed=seeds)
    def the_evening_begins(self, seed):
        self.random = Random(seed)
        policy = self.random.choice([HandPolicy.EVERYONE] * 4 + list(HandPolicy))
        fair = self.random.random() < 0.5
        deputy = self.random.choice([None, None, "mod1"])
        self.model.policy, self.model.fair, self.model.deputy = policy.value, fair, deputy
        self.room = replace(self.room, rules=replace(self.room.rules, hand_policy=policy, fair_floor=fair, deputy=deputy))
        self.model.spoken = set(self.random.sample(everybody, 3))
        for person in self.model.spoken:
            self.room = with_place(self.room, replace(self.room.places[person], has_spoken=True))
        if self.random.random() < 0.5:
            self.bring_some_up()
        if self.random.random() < 0.5:
            self.room = mutes.hold_mute(self.room, PersonId("mod1"), PersonId("ben"), "Music", self.now).stage
            self.model.held = {"ben": ("mod1", "Music")}

    @rule(seed=seeds)
    def something_happens(self, seed):
        """Drawn by a seed: drawn one by one, Hypothesis comes back to few commands, small numbers and the same people."""
        self.random = Random(seed)
        anything = self.random.random() < ANYTHING
        happen, _ = self.random.choice([each for each in COMMANDS if anything or each[1](self.model)])
        note(happen.__name__)
        happen(self)

    def bring_some_up(self):
        """One who never moderated, and then two who did: here, and in another room of the club."""
        for minutes, person in ((-3, "dan"), (-2, "ann"), (-1, "cleo")):
            place = replace(self.room.places[person], role=Role.SPEAKER, on_stage_since=self.now + timedelta(minutes=minutes))
            self.room = with_place(self.room, replace(place, ever_moderated=person == "ann"))
        self.model.stage = ["dan", "ann", "cleo", OPENER]
        self.model.ever.add("ann")
        self.watched_stage = {person: (self.room.places[person].role, False, False, None) for person in self.model.stage}

    def pick(self, likely) -> PersonId:
        """Somebody whom it would make sense for, or now and then anybody."""
        among = [person for person in everybody if person in likely]
        return self.random.choice(among if among and self.random.random() >= ANYTHING else everybody)

    def moderators_in(self):
        return {person for person in everybody if self.model.may_moderate(person)}

    # Carrying out, and what is watched at each step

    def attempt(self, name, actor, command, *, allowed) -> bool:
        """Run a command; it must be refused exactly where the model says so. Whether it was carried out."""
        before = self.room
        try:
            outcome = command()
        except RoomsError:
            assert not allowed, f"{name} by {actor} was refused"
            return False
        assert allowed, f"{name} by {actor} was carried out"
        self.room = outcome.stage
        self.consent_is_the_only_way_up(name, actor, before)
        self.nobody_unmutes_somebody_else(name, actor, before)
        self.no_stranger_becomes_a_moderator(name, actor, before)
        self.the_queue_keeps_its_order(before)
        for happening in outcome.happened:
            self.watch(happening)
        return True

    def settle(self):
        """What the shell does after every outcome."""
        self.room = succession.with_grace(self.room, self.now, anybody_in=bool(self.model.inside))
        self.model.settle(self.now)

    def consent_is_the_only_way_up(self, name, actor, before):
        for place in self.room.on_stage():
            was = before.places[place.person]
            if was.on_stage:
                continue
            assert name in MAY_COME_UP
            assert place.person == actor
            if name == "accept_invitation":
                assert was.standing is Standing.INVITED
            if name == "step_up":
                assert before.rules.hand_policy is HandPolicy.OPEN_STAGE
            if name == "enter":
                assert place.role is Role.HOST or was.stage_lost_at is not None
            if before.rules.stage_locked or before.rules.host_away:
                assert was.role.moderates or was.stage_lost_at is not None

    def nobody_unmutes_somebody_else(self, name, actor, before):
        for place in self.room.on_stage():
            was = before.places[place.person]
            if was.on_stage and was.muted and not place.muted:
                assert (name, actor) == ("unmute", place.person)
                assert not was.held

    def no_stranger_becomes_a_moderator(self, name, actor, before):
        for place in self.room.moderators():
            was = before.places[place.person]
            if was.role.moderates:
                continue
            if name == "succeed":
                assert was.on_stage
                assert was.ever_moderated or place.person in MODERATED_ELSEWHERE
            else:
                assert name in {"appoint_moderator", "name_deputy"}
                assert before.places[actor].is_in
                assert before.places[actor].role.moderates

    def the_queue_keeps_its_order(self, before):
        old, new = ([place.person for place in each.queue()] for each in (before, self.room))
        assert [person for person in old if person in new] == [person for person in new if person in old]

    def watch(self, happening):
        """What a watcher knows who has heard only of the happenings."""
        match happening:
            case StageJoined(person):
                place = self.room.places[person]
                self.watched_stage[person] = (place.role, place.muted, place.held, place.status)
            case StageLeft(person):
                del self.watched_stage[person]
            case MuteChanged(person, muted, held):
                role, _, _, status = self.watched_stage[person]
                self.watched_stage[person] = (role, muted, held, status)
            case RoleChanged(person, role):
                self.watched_stage[person] = (role, *self.watched_stage[person][1:])
            case StatusChanged(person, status):
                self.watched_stage[person] = (*self.watched_stage[person][:3], status)
            case HandQueued(person):
                self.watched_queue[person] = False
            case HandInvited(person):
                assert person in self.watched_queue
                self.watched_queue[person] = True
            case HandUnqueued(person):
                del self.watched_queue[person]
            case HandsCleared():
                self.watched_queue.clear()
            case RoomClosed():
                self.watched_stage.clear()

    def acquaintance(self, person):
        return Acquaintance(
            followed_by=frozenset(follower for follower, followed in self.model.follows if followed == person),
            blocked_by=frozenset(self.blockers(person)),
            in_club=person in CLUB_MEMBERS,
        )

    def blockers(self, person):
        return {blocker for blocker, blocked in self.model.blocks if blocked == person}

    def all_blockers(self):
        return {person: self.blockers(person) for person in PEOPLE}

    # The world around the room

    @step(lambda m: m.kept)
    def time_passes(self):
        """Clocks of several machines may even go back a little."""
        seconds = self.random.choice([-20, 1, 5, 40, 130, 700])
        self.now += timedelta(seconds=seconds)

    @step(lambda m: m.policy == "followed_by_speakers")
    def follow(self):
        follower = self.random.choice(everybody)
        followed = self.random.choice(everybody)
        self.model.follows.add((follower, followed))

    @step(lambda m: not m.blocks)
    def block(self):
        blocker, blocked = self.pick(self.model.stage), self.pick(self.model.inside - set(self.model.stage))
        if blocker == blocked or self.random.random() < 0.3:
            self.model.blocks.clear()
        else:
            self.model.blocks.add((blocker, blocked))

    @step(lambda m: set(m.stage) - m.spoken)
    def speaks(self):
        """Heard by the media process."""
        person = self.pick(self.model.stage)
        place = self.room.places[person]
        if place.on_stage and not place.muted:
            self.room = with_place(self.room, replace(place, has_spoken=True))
            self.model.spoken.add(person)

    @step(lambda m: len(m.inside) < 3)
    def everybody_comes_back(self):
        for actor in everybody:
            if self.attempt("enter", actor, partial(lifecycle.enter, self.room, actor, self.now), allowed=not self.model.ended):
                self.model.enter(actor, self.now)
            self.settle()

    @step(lambda m: len(m.stage) > 1)
    def moderators_lose_their_connection(self):
        """All at once, and for long: one by one it would hardly ever come to a succession."""
        actors = self.random.choice([{OPENER}, {"mod1", "mod2"}, set(PEOPLE)])
        seconds = self.random.choice([0, 29, 31])
        for actor in sorted(actors & self.moderators_in()):
            command = partial(lifecycle.lose_connection, self.room, actor, self.now)
            self.attempt("lose_connection", actor, command, allowed=True)
            self.model.lose(actor, self.now)
            self.settle()
        self.the_grace_may_be_over(seconds)

    @step(lambda m: m.grace)
    def the_keeper_looks(self):
        seconds = self.random.choice([0, 29, 31])
        self.the_grace_may_be_over(seconds)

    def the_grace_may_be_over(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.attempt("succeed", None, lambda: succession.succeed(self.room, self.now, MODERATED_ELSEWHERE), allowed=True)
        self.model.succeed(self.now)
        self.settle()

    # Hands and invitations

    @step(lambda m: m.policy not in ("open_stage", "nobody"))
    def raise_hand(self):
        actor = self.pick(self.model.inside - set(self.model.stage))
        m = self.model
        command = lambda: hands.raise_hand(self.room, actor, self.now, self.acquaintance(actor))  # noqa: E731
        if self.attempt("raise_hand", actor, command, allowed=m.may_raise_hand(actor)):
            m.queue.append(actor)
            m.hands.add(actor)

    @step(lambda m: m.hands)
    def lower_hand(self):
        actor = self.pick(self.model.hands)
        m = self.model
        if self.attempt("lower_hand", actor, lambda: hands.lower_hand(self.room, actor), allowed=m.there(actor) and actor in m.hands):
            m.unqueue(actor)

    @step()
    def invite_to_stage(self):
        actor = self.pick(self.moderators_in())
        person = self.pick(self.model.inside - set(self.model.stage))
        m = self.model
        command = lambda: hands.invite_to_stage(self.room, actor, person, self.now, self.blockers(person))  # noqa: E731
        if self.attempt("invite_to_stage", actor, command, allowed=m.may_moderate(actor) and m.may_be_invited(person)):
            m.invite(person)

    @step(lambda m: m.next_to_invite())
    def invite_next(self):
        count = self.random.randint(1, 3)
        actor = self.pick(self.moderators_in())
        m = self.model
        waiting = m.next_to_invite()
        command = lambda: hands.invite_next(self.room, actor, self.now, count=count, blocked_by=self.all_blockers())  # noqa: E731
        if self.attempt("invite_next", actor, command, allowed=m.may_moderate(actor) and bool(waiting)):
            for person in waiting[:count]:
                m.invite(person)

    @step(lambda m: not m.invited)
    def invite_several(self):
        several = self.random.choices(everybody, k=self.random.randint(1, 4))
        actor = self.pick(self.moderators_in())
        m = self.model
        wanted = [person for person in dict.fromkeys(several) if m.may_be_invited(person)]
        command = lambda: hands.invite_several(self.room, actor, several, self.now, self.all_blockers())  # noqa: E731
        if self.attempt("invite_several", actor, command, allowed=m.may_moderate(actor) and bool(wanted)):
            for person in wanted:
                m.invite(person)

    @step(lambda m: len(m.queue) > 1)
    def clear_hands(self):
        actor = self.pick(self.moderators_in())
        m = self.model
        if self.attempt("clear_hands", actor, lambda: hands.clear_hands(self.room, actor), allowed=m.may_moderate(actor) and bool(m.queue)):
            for person in PEOPLE:
                m.unqueue(person)

    @step(lambda m: m.invited)
    def accept_invitation(self):
        actor = self.pick(self.model.invited)
        m = self.model
        command = lambda: stage.accept_invitation(self.room, actor, self.now, self.acquaintance(actor))  # noqa: E731
        allowed = m.there(actor) and actor in m.invited and m.may_come_up(actor)
        if self.attempt("accept_invitation", actor, command, allowed=allowed):
            m.up(actor)

    @step(lambda m: m.invited)
    def decline_invitation(self):
        actor = self.pick(self.model.invited)
        m = self.model
        command = lambda: hands.decline_invitation(self.room, actor)  # noqa: E731
        if self.attempt("decline_invitation", actor, command, allowed=m.there(actor) and actor in m.invited):
            m.unqueue(actor)

    # The stage

    @step(lambda m: m.policy == "open_stage")
    def step_up(self):
        actor = self.pick(self.model.inside - set(self.model.stage))
        m = self.model
        command = lambda: stage.step_up(self.room, actor, self.now, self.acquaintance(actor))  # noqa: E731
        allowed = m.there(actor) and actor not in m.stage and m.policy == "open_stage" and m.may_come_up(actor)
        if self.attempt("step_up", actor, command, allowed=allowed):
            m.up(actor, muted=True)

    @step(lambda m: len(m.stage) > 1)
    def step_down(self):
        actor = self.pick(self.model.stage)
        m = self.model
        if self.attempt("step_down", actor, lambda: stage.step_down(self.room, actor), allowed=m.there(actor) and actor in m.stage):
            m.down(actor)

    @step(lambda m: len(m.stage) > 1)
    def move_to_audience(self):
        actor = self.pick(self.moderators_in())
        person = self.pick(self.model.stage)
        m = self.model
        allowed = m.may_moderate(actor) and person in m.stage and (actor == person or m.has_power(actor, person))
        if self.attempt("move_to_audience", actor, lambda: stage.move_to_audience(self.room, actor, person), allowed=allowed):
            m.down(person)

    @step()
    def set_status(self):
        status = self.random.choice([None, Status.ON_A_CALL])
        actor = self.pick(self.model.stage)
        m = self.model
        command = lambda: stage.set_status(self.room, actor, status)  # noqa: E731
        if self.attempt("set_status", actor, command, allowed=m.there(actor) and actor in m.stage):
            (m.on_a_call.add if status else m.on_a_call.discard)(actor)

    # Mutes

    @step(lambda m: set(m.stage) - m.muted)
    def mute(self):
        actor = self.pick(set(self.model.stage) - self.model.muted)
        m = self.model
        allowed = m.there(actor) and actor in m.stage and actor not in m.muted
        if self.attempt("mute", actor, lambda: mutes.mute(self.room, actor), allowed=allowed):
            m.muted.add(actor)

    @step(lambda m: m.muted)
    def unmute(self):
        actor = self.pick(self.model.muted)
        m = self.model
        allowed = m.there(actor) and actor in m.muted and actor not in m.held
        if self.attempt("unmute", actor, lambda: mutes.unmute(self.room, actor), allowed=allowed):
            m.muted.discard(actor)

    @step(lambda m: set(m.stage) - m.muted)
    def mute_speaker(self):
        actor = self.pick(self.moderators_in())
        person = self.pick(set(self.model.stage) - self.model.muted)
        m = self.model
        allowed = m.may_moderate(actor) and person in m.stage and person not in m.muted
        if self.attempt("mute_speaker", actor, lambda: mutes.mute_speaker(self.room, actor, person), allowed=allowed):
            m.muted.add(person)

    @step(lambda m: len(set(m.stage) - m.muted) > 1)
    def mute_all(self):
        actor = self.pick(self.moderators_in())
        m = self.model
        open_microphones = set(m.stage) - m.muted - {actor}
        allowed = m.may_moderate(actor) and bool(open_microphones)
        if self.attempt("mute_all", actor, lambda: mutes.mute_all(self.room, actor), allowed=allowed):
            m.muted |= open_microphones

    @step(lambda m: not m.held)
    def hold_mute(self):
        reason = self.random.choice(["Music", "Advertising"])
        actor = self.pick(self.moderators_in())
        person = self.pick(set(PEOPLE) - self.model.moderators)
        m = self.model
        command = lambda: mutes.hold_mute(self.room, actor, person, reason, self.now)  # noqa: E731
        if self.attempt("hold_mute", actor, command, allowed=actor != person and m.has_power(actor, person)):
            m.held[person] = (actor, reason)
            if person in m.stage:
                m.muted.add(person)

    @step(lambda m: m.held)
    def release_mute(self):
        actor = self.pick(self.moderators_in())
        person = self.pick(self.model.held)
        m = self.model
        allowed = m.may_moderate(actor) and actor != person and person in m.held
        if self.attempt("release_mute", actor, lambda: mutes.release_mute(self.room, actor, person), allowed=allowed):
            del m.held[person]

    # Who is in the room

    @step(lambda m: not m.silenced)
    def silence_or_unsilence(self):
        silenced = self.random.choice([False, True])
        actor = self.pick(self.moderators_in())
        person = self.pick(set(PEOPLE) - self.model.moderators)
        m = self.model
        silencing = silence.silence_person if silenced else silence.unsilence_person
        if self.attempt("silence_person", actor, lambda: silencing(self.room, actor, person), allowed=m.has_power(actor, person)):
            (m.silenced.add if silenced else m.silenced.discard)(person)

    @step(lambda m: len(m.inside) > 3)
    def remove_person(self):
        actor = self.pick(self.moderators_in())
        person = self.pick(set(PEOPLE) - self.model.moderators)
        m = self.model
        epoch = self.room.places[person].epoch
        command = lambda: lifecycle.remove_person(self.room, actor, person)  # noqa: E731
        if self.attempt("remove_person", actor, command, allowed=m.has_power(actor, person)):
            m.remove(person)
            place = self.room.places[person]
            assert (place.epoch, place.standing, place.role) == (epoch + 1, Standing.OUT, Role.LISTENER)
        else:
            assert self.room.places[person].epoch == epoch
        self.settle()

    @step(lambda m: False)
    def undo_removal(self):
        actor = self.pick(self.moderators_in())
        self.attempt("undo_removal", actor, lambda: lifecycle.undo_removal(self.room, actor), allowed=self.model.may_moderate(actor))

    @step(lambda m: len(m.inside) < len(PEOPLE))
    def enter(self):
        actor = self.pick(set(PEOPLE) - self.model.inside)
        if self.attempt("enter", actor, lambda: lifecycle.enter(self.room, actor, self.now), allowed=not self.model.ended):
            self.model.enter(actor, self.now)
        self.settle()

    @step(lambda m: len(m.inside) > 3)
    def leave_room(self):
        actor = self.pick(self.model.inside)
        if self.attempt("leave_room", actor, lambda: lifecycle.leave_room(self.room, actor), allowed=self.model.there(actor)):
            self.model.out(actor)
        self.settle()

    @step(lambda m: len(m.stage) > 1)
    def lose_connection(self):
        actor = self.pick(self.model.stage)
        command = lambda: lifecycle.lose_connection(self.room, actor, self.now)  # noqa: E731
        if self.attempt("lose_connection", actor, command, allowed=self.model.there(actor)):
            self.model.lose(actor, self.now)
        self.settle()

    @step()
    def end_room(self):
        actor = self.pick(self.moderators_in())
        if self.random.random() < 0.98:
            return  # seldom: most evenings shall go on
        m = self.model
        allowed = not m.ended and (m.may_moderate(actor) or actor in (OPENER, m.host))
        if self.attempt("end_room", actor, lambda: lifecycle.end_room(self.room, actor), allowed=allowed):
            m.end()

    # Moderators

    @step(lambda m: m.inside - m.moderators - {m.host})
    def appoint_moderator(self):
        actor = self.pick(self.moderators_in())
        person = self.pick(self.model.inside - self.model.moderators)
        m = self.model
        allowed = m.may_moderate(actor) and person in m.inside and not m.moderates(person)
        if self.attempt("appoint_moderator", actor, lambda: moderators.appoint_moderator(self.room, actor, person), allowed=allowed):
            m.appoint(person)
        self.settle()

    @step(lambda m: len(m.moderators) > 1)
    def revoke_moderator(self):
        actor = self.pick(self.moderators_in())
        person = self.pick(self.model.moderators)
        m = self.model
        may = m.may_moderate(actor) and actor in (m.host, person)
        allowed = may and person in m.moderators and person != OPENER
        if self.attempt("revoke_moderator", actor, lambda: moderators.revoke_moderator(self.room, actor, person), allowed=allowed):
            m.revoke(person)
        self.settle()

    @step(lambda m: m.deputy is None)
    def name_deputy(self):
        person = self.random.choice([None, *everybody])
        actor = self.pick({self.model.host})
        m = self.model
        allowed = m.there(actor) and actor == m.host and (person is None or (person in m.inside and person != actor))
        if self.attempt("name_deputy", actor, lambda: moderators.name_deputy(self.room, actor, person), allowed=allowed):
            m.deputy = person
            if person is not None and person not in m.moderators:
                m.appoint(person)
        self.settle()

    @step(lambda m: m.policy == "nobody")
    def set_hand_policy(self):
        policy = self.random.choice(list(HandPolicy))
        actor = self.pick(self.moderators_in())
        command = lambda: editing.edit_room(self.room, actor, hand_policy=policy)  # noqa: E731
        if self.attempt("edit_room", actor, command, allowed=self.model.may_moderate(actor)):
            self.model.policy = policy.value

    @step()
    def set_lock_and_fair_floor(self):
        locked = self.random.choice([None, False, True])
        fair = self.random.choice([None, False, True])
        actor = self.pick(self.moderators_in())
        m = self.model
        command = lambda: editing.edit_room(self.room, actor, stage_locked=locked, fair_floor=fair)  # noqa: E731
        if self.attempt("edit_room", actor, command, allowed=m.may_moderate(actor)):
            m.locked = m.locked if locked is None else locked
            m.fair = m.fair if fair is None else fair

    @step(lambda m: m.visibility < 2)
    def set_visibility(self):
        width = self.random.randint(0, 2)
        actor = self.pick(self.moderators_in())
        m = self.model
        command = lambda: editing.edit_room(self.room, actor, visibility=WIDENING[width])  # noqa: E731
        if self.attempt("edit_room", actor, command, allowed=m.may_moderate(actor) and width >= m.visibility):
            m.visibility = width

    # After every step

    @invariant()
    def agrees_with_the_model(self):
        m, places = self.model, self.room.places
        assert self.room.phase is (Phase.ENDED if m.ended else Phase.LIVE)
        assert [place.person for place in self.room.on_stage()] == m.stage
        assert [place.person for place in self.room.queue()] == m.queue
        assert list(hands.hand_positions(self.room)) == m.floor()
        assert {p for p, place in places.items() if place.invited_at} == m.invited
        assert {p for p, place in places.items() if place.is_in} == m.inside
        assert {p for p, place in places.items() if place.muted and place.on_stage} == m.muted
        assert {p: (place.held_by, place.held_reason) for p, place in places.items() if place.held} == m.held
        assert {p for p, place in places.items() if place.status and place.on_stage} == m.on_a_call
        assert {p for p, place in places.items() if place.silenced} == m.silenced
        assert {p for p, place in places.items() if place.ever_moderated} == m.ever
        assert {p: place.role.value for p, place in places.items()} == {p: m.role(p) for p in PEOPLE}

    @invariant()
    def agrees_with_the_model_on_the_rules(self):
        m, rules = self.model, self.room.rules
        assert (rules.hand_policy.value, rules.stage_locked, rules.fair_floor) == (m.policy, m.locked, m.fair)
        assert rules.visibility is WIDENING[m.visibility]
        assert (rules.deputy, rules.grace_ends_at, rules.host_away) == (m.deputy, m.grace, m.away)

    @invariant()
    def there_is_exactly_one_host_and_it_is_the_opener_while_they_are_in(self):
        assert [place.role for place in self.room.places.values()].count(Role.HOST) == 1
        if self.room.places[OPENER].is_in:
            assert self.room.host.person == OPENER

    @invariant()
    def who_is_held_is_muted_on_the_stage(self):
        assert all(place.muted for place in self.room.on_stage() if place.held)

    @invariant()
    def a_watcher_of_the_happenings_knows_stage_queue_mutes_and_roles(self):
        shown = {place.person: (place.role, place.muted, place.held, place.status) for place in self.room.on_stage()}
        assert list(self.watched_stage.items()) == list(shown.items())
        assert list(self.watched_queue.items()) == [(place.person, place.invited_at is not None) for place in self.room.queue()]

    @invariant()
    def the_database_would_take_it(self):
        """The constraints of models/place.py and models/room.py that one place can break by itself."""
        for place in self.room.places.values():
            kept = place.on_stage or place.stage_lost_at is not None
            assert kept or not (place.muted or place.status)
            assert place.muted or place.muted_by is None
            assert place.held or (place.held_by is None and not place.held_reason)
            assert place.is_in or place.standing is Standing.OUT
            assert not (place.on_stage and place.queued_at)
            assert place.is_in or not (place.on_stage or place.queued_at)
            assert not (place.is_in and place.stage_lost_at)
            assert place.ever_moderated or not place.role.moderates
            assert place.role.moderates or (place.role is Role.SPEAKER) is place.on_stage
        assert self.room.rules.grace_ends_at is None or not self.room.rules.host_away

    @invariant()
    def a_second_moderator_is_one_in_the_room(self):
        m = self.model
        for actor in PEOPLE:
            others = {place.person for place in large_acts.other_moderators(self.room, actor)}
            assert others == {person for person in m.inside if m.moderates(person)} - {actor}


TestRooms = Rooms.TestCase
TestRooms.settings = settings(max_examples=100, stateful_step_count=120, deadline=None)
