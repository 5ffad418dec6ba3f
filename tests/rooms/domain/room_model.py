"""A room in plain sets and lists, written from docs/protocol.md section 4 and apart from the rules: what the rules must agree with.

It knows no standings, steps or happenings. A command asks a `may_…`, and says what becomes of the sets.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

OPENER = "opener"
PEOPLE = (OPENER, "mod1", "mod2", "ann", "ben", "cleo", "dan")
CLUB_MEMBERS = {"ann", OPENER}
MODERATED_ELSEWHERE = {"cleo"}
"""Moderated other rooms of the club."""


@dataclass
class Kept:
    """What waits for somebody whose connection was lost on the stage."""

    since: datetime
    muted: bool
    on_a_call: bool


class RoomModel:
    def __init__(self) -> None:
        self.ended = False
        self.inside = set(PEOPLE)
        self.stage = [OPENER]
        self.queue: list[str] = []
        self.hands: set[str] = set()
        self.invited: set[str] = set()
        self.muted: set[str] = set()
        self.held: dict[str, tuple[str, str]] = {}
        self.on_a_call: set[str] = set()
        self.kept: dict[str, Kept] = {}
        self.silenced: set[str] = set()
        self.spoken: set[str] = set()
        self.host = OPENER
        self.moderators = {"mod1", "mod2"}
        self.ever = {OPENER, "mod1", "mod2"}
        self.deputy: str | None = None
        self.policy = "everyone"
        self.locked = False
        self.fair = False
        self.visibility = 0
        self.grace: datetime | None = None
        self.away = False
        self.follows: set[tuple[str, str]] = set()
        self.blocks: set[tuple[str, str]] = set()

    # Who may what

    def there(self, person: str) -> bool:
        return not self.ended and person in self.inside

    def moderates(self, person: str) -> bool:
        return person == self.host or person in self.moderators

    def may_moderate(self, actor: str) -> bool:
        return self.there(actor) and self.moderates(actor)

    def has_power(self, actor: str, person: str) -> bool:
        """The host over everybody else; moderators over who is none; nobody over who opened the room."""
        if not self.may_moderate(actor) or person in (OPENER, self.host):
            return False
        return actor == self.host or person not in self.moderators

    def may_raise_hand(self, person: str) -> bool:
        if not self.there(person) or person in self.stage or person in self.queue or self.policy == "open_stage":
            return False
        followed = any((speaker, person) in self.follows for speaker in self.stage)
        lets = {"everyone": True, "nobody": False, "club_members": person in CLUB_MEMBERS, "followed_by_speakers": followed}
        return self.moderates(person) or lets[self.policy]

    def may_come_up(self, person: str) -> bool:
        stage_locked = self.locked or self.away
        return (self.moderates(person) or not stage_locked) and not self.is_blocked(person)

    def is_blocked(self, person: str) -> bool:
        return any((speaker, person) in self.blocks for speaker in self.stage)

    def may_be_invited(self, person: str) -> bool:
        return person in self.inside and person not in self.stage and person not in self.invited and self.may_come_up(person)

    def floor(self) -> list[str]:
        hands = [person for person in self.queue if person in self.hands]
        if self.fair:
            return [p for p in hands if p not in self.spoken] + [p for p in hands if p in self.spoken]
        return hands

    def next_to_invite(self) -> list[str]:
        return [person for person in self.floor() if self.may_be_invited(person)]

    def role(self, person: str) -> str:
        if person == self.host:
            return "host"
        if person in self.moderators:
            return "moderator"
        return "speaker" if person in self.stage else "listener"

    # What becomes of it

    def invite(self, person: str) -> None:
        self.invited.add(person)
        if person not in self.queue:
            self.queue.append(person)

    def unqueue(self, person: str) -> None:
        if person in self.queue:
            self.queue.remove(person)
        self.hands.discard(person)
        self.invited.discard(person)

    def up(self, person: str, *, muted: bool = False) -> None:
        self.unqueue(person)
        self.stage.append(person)
        if muted or person in self.held:
            self.muted.add(person)

    def down(self, person: str) -> None:
        if person in self.stage:
            self.stage.remove(person)
        self.muted.discard(person)
        self.on_a_call.discard(person)

    def out(self, person: str) -> None:
        self.inside.discard(person)
        self.down(person)
        self.unqueue(person)

    def lose(self, person: str, now: datetime) -> None:
        if person in self.stage:
            self.kept[person] = Kept(now, person in self.muted, person in self.on_a_call)
        self.out(person)

    def enter(self, person: str, now: datetime) -> None:
        if person in self.inside:
            return
        if person == OPENER:
            self.make_host(person)
        self.inside.add(person)
        kept = self.kept.pop(person, None)
        if person == self.host or (kept is not None and now - kept.since <= timedelta(minutes=10 if kept.on_a_call else 2)):
            self.up(person, muted=kept is not None and kept.muted)
            if kept is not None and kept.on_a_call:
                self.on_a_call.add(person)

    def remove(self, person: str) -> None:
        self.out(person)
        self.kept.pop(person, None)
        self.revoke(person)

    def appoint(self, person: str) -> None:
        self.moderators.add(person)
        self.ever.add(person)
        self.silenced.discard(person)

    def revoke(self, person: str) -> None:
        self.moderators.discard(person)
        if self.deputy == person:
            self.deputy = None

    def make_host(self, person: str) -> None:
        if person == self.host:
            return
        self.moderators.add(self.host)
        self.moderators.discard(person)
        self.host = person
        self.ever.add(person)
        self.silenced.discard(person)
        self.held.pop(person, None)

    def end(self) -> None:
        self.ended = True
        for person in PEOPLE:
            self.out(person)
        self.settle(datetime.max)

    # Succession

    def settle(self, now: datetime) -> None:
        """What a change of the room does to the grace."""
        runs = any(self.may_moderate(person) for person in PEOPLE)
        self.away = self.away and not runs and not self.ended
        needed = not self.ended and self.inside and self.host not in self.inside and (self.deputy in self.inside or not runs)
        if not needed or self.away:
            self.grace = None
        elif self.grace is None:
            self.grace = now + timedelta(seconds=30)

    def succeed(self, now: datetime) -> None:
        if self.grace is None or now < self.grace:
            return
        self.grace = None
        if self.deputy in self.inside:
            self.make_host(self.deputy)
            return
        known = [person for person in self.stage if person in self.ever | MODERATED_ELSEWHERE]
        if known:
            self.make_host(known[0])
        else:
            self.away = True
