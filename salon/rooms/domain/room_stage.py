"""The values the rules work on: one room's stage, its places, and what a command made happen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NewType

from salon.rooms.domain.standing import Standing, Step, next_standing
from salon.rooms.enums import EndReason, HandPolicy, Phase, Role, StageLeftReason, Status, Visibility
from salon.rooms.errors import NotInRoom, NotOnStage, RoomEnded

PersonId = NewType("PersonId", str)

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlace:
    """One person's place. The times say the standing: which of them may be set together is `standing`'s business alone."""

    person: PersonId
    csrc: int
    role: Role = Role.LISTENER
    is_in: bool = True
    on_stage_since: datetime | None = None
    hand_raised_at: datetime | None = None
    invited_at: datetime | None = None
    invited_by: PersonId | None = None
    muted: bool = False
    muted_by: PersonId | None = None
    """The moderator who muted; None for who muted themselves."""
    held_at: datetime | None = None
    """Since when a moderator holds the mute. It goes wherever the person goes: only a moderator's release ends it."""
    held_by: PersonId | None = None
    held_reason: str = ""
    status: Status | None = None
    silenced: bool = False
    """Writes nothing in this room."""
    ever_moderated: bool = False
    """Was host or moderator of this room at some time: may succeed the host."""
    has_spoken: bool = False
    talked_ms: int = 0
    stage_lost_at: datetime | None = None
    """When the connection, not the person, gave up the place on the stage; None if it did not."""
    epoch: int = 0

    @property
    def standing(self) -> Standing:
        if not self.is_in:
            return Standing.OUT
        if self.on_stage_since is not None:
            return Standing.ON_STAGE
        if self.invited_at is not None:
            return Standing.INVITED
        return Standing.LISTENING if self.hand_raised_at is None else Standing.HAND_UP

    @property
    def on_stage(self) -> bool:
        return self.on_stage_since is not None

    @property
    def held(self) -> bool:
        return self.held_at is not None

    @property
    def queued_at(self) -> datetime | None:
        """Since when moderators have this person on their list: by a hand, or by an invitation without one."""
        return self.hand_raised_at or self.invited_at


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRules:
    """What a room has settled about its stage, and who runs it while the host is gone."""

    hand_policy: HandPolicy = HandPolicy.EVERYONE
    stage_locked: bool = False
    fair_floor: bool = False
    visibility: Visibility = Visibility.OPEN
    opener: PersonId | None = None
    """Who opened the room: the role of host is theirs whenever they are in it."""
    deputy: PersonId | None = None
    grace_ends_at: datetime | None = None
    """When the role of host passes on, unless it is no longer needed."""
    host_away: bool = False
    """Nobody was there to pass it on to. Never together with `grace_ends_at`."""


@dataclass(frozen=True, slots=True)
class RoomStage:
    """A room as the rules see it.

    places: at least everybody on the stage, with a hand up or invited, who moderates (in the room or not), the opener, the deputy,
    and whoever the command names; further listeners change nothing for any rule, so a room of thousands need not be read.
    At most one place has the role of host: whoever writes down a change of it takes the role from one before giving it to the other.
    """

    phase: Phase
    places: Mapping[PersonId, StagePlace]
    rules: StageRules = StageRules()

    def place_of(self, person: PersonId) -> StagePlace:
        """The place of somebody who is in the room. Raises NotInRoom."""
        place = self.places.get(person)
        if place is None or not place.is_in:
            raise NotInRoom
        return place

    def on_stage_place_of(self, person: PersonId) -> StagePlace:
        """The place of somebody on the stage. Raises NotInRoom, NotOnStage."""
        place = self.place_of(person)
        if not place.on_stage:
            raise NotOnStage
        return place

    def on_stage(self) -> list[StagePlace]:
        """In order of arrival."""
        return [place for _, _, place in sorted((p.on_stage_since, p.person, p) for p in self.places.values() if p.on_stage_since)]

    def queue(self) -> list[StagePlace]:
        """Hands and invitations as moderators see them, oldest first."""
        return [place for _, _, place in sorted((p.queued_at, p.person, p) for p in self.places.values() if p.queued_at)]

    def hands(self) -> list[StagePlace]:
        """Hands up, in the order in which they come to the floor; an invited person's hand stays up until they answer.

        Oldest first. With the fair floor who has not spoken yet comes before who has, each group oldest first.
        """
        oldest_first = [place for place in self.queue() if place.hand_raised_at]
        return sorted(oldest_first, key=lambda place: place.has_spoken) if self.rules.fair_floor else oldest_first

    def moderators(self) -> list[StagePlace]:
        """The host first, then the others by id; those too who are not in the room."""
        moderating = [place for place in self.places.values() if place.role.moderates]
        return sorted(moderating, key=lambda place: (place.role is not Role.HOST, place.person))

    @property
    def host(self) -> StagePlace | None:
        """Who holds the role of host now, in the room or not."""
        return next((place for place in self.places.values() if place.role is Role.HOST), None)

    @property
    def stage_is_locked(self) -> bool:
        """By a moderator, or because nobody is there who could answer for who comes up."""
        return self.rules.stage_locked or self.rules.host_away

    def require_live(self) -> None:
        if self.phase is not Phase.LIVE:
            raise RoomEnded

    def moment(self, now: datetime) -> datetime:
        """`now`, or later where clocks disagree: whoever comes next stands after everybody who is there already."""
        times = [time for p in self.places.values() for time in (p.on_stage_since, p.queued_at) if time]
        return max([now, *(time + _TICK for time in times)])


@dataclass(frozen=True, slots=True)
class StageJoined:
    person: PersonId


@dataclass(frozen=True, slots=True)
class StageLeft:
    person: PersonId
    reason: StageLeftReason


@dataclass(frozen=True, slots=True)
class MuteChanged:
    """Of somebody on the stage. held: whether a moderator holds the mute."""

    person: PersonId
    muted: bool
    held: bool


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """Of somebody on the stage."""

    person: PersonId
    role: Role


@dataclass(frozen=True, slots=True)
class StatusChanged:
    person: PersonId
    status: Status | None


@dataclass(frozen=True, slots=True)
class HandQueued:
    """Came onto the moderators' list, by a hand or by an invitation."""

    person: PersonId


@dataclass(frozen=True, slots=True)
class HandUnqueued:
    person: PersonId


@dataclass(frozen=True, slots=True)
class HandInvited:
    person: PersonId


@dataclass(frozen=True, slots=True)
class HandsCleared:
    pass


@dataclass(frozen=True, slots=True)
class RoomClosed:
    reason: EndReason


Happening = (
    StageJoined
    | StageLeft
    | MuteChanged
    | RoleChanged
    | StatusChanged
    | HandQueued
    | HandUnqueued
    | HandInvited
    | HandsCleared
    | RoomClosed
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The room after a command, and what happened, in order. What changed in `stage.rules` shows by comparing them."""

    stage: RoomStage
    happened: tuple[Happening, ...] = ()


def with_place(stage: RoomStage, place: StagePlace) -> RoomStage:
    return replace(stage, places={**stage.places, place.person: place})


def with_rules(stage: RoomStage, rules: StageRules) -> RoomStage:
    return replace(stage, rules=rules)


def moved(place: StagePlace, step: Step, *, at: datetime | None = None, by: PersonId | None = None) -> StagePlace:
    """The place after `step`, with exactly the times its new standing has.

    at: when; needed by every step that begins a hand, an invitation or a stay on the stage. by: who invites.
    Raises the refusal of the step.
    """
    standing = next_standing(place.standing, step)
    queued = standing in (Standing.HAND_UP, Standing.INVITED)
    on_stage = standing is Standing.ON_STAGE
    # One steps up to be on the stage, not to talk at once; and a held mute is there before the person is.
    muted = place.muted or place.held or step is Step.STEP_UP
    return replace(
        place,
        role=_role_in(place.role, on_stage=on_stage),
        is_in=standing is not Standing.OUT,
        on_stage_since=at if on_stage else None,
        hand_raised_at=(at if step is Step.RAISE_HAND else place.hand_raised_at) if queued else None,
        invited_at=at if standing is Standing.INVITED else None,
        invited_by=by if standing is Standing.INVITED else None,
        muted=muted and on_stage,
        muted_by=(place.muted_by or place.held_by) if on_stage else None,
        status=place.status if on_stage else None,
        stage_lost_at=None,
    )


def _role_in(role: Role, *, on_stage: bool) -> Role:
    if role.moderates:
        return role
    return Role.SPEAKER if on_stage else Role.LISTENER
