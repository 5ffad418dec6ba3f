"""What the rules must know about people, asked of the apps below: each function takes one query, and none where the rule needs nothing."""

from collections.abc import Iterable

from salon.rooms.clubs import clubs
from salon.rooms.domain.people import UNKNOWN, Acquaintance
from salon.rooms.domain.room_stage import PersonId, RoomStage
from salon.rooms.enums import HandPolicy
from salon.rooms.models import Room
from salon.social.models import Block
from salon.social.relations import who_follow


def acquaintance_for_hand(room: Room, stage: RoomStage, person: str) -> Acquaintance:
    """What the room's hand policy asks about somebody who raises a hand."""
    match stage.rules.hand_policy:
        case HandPolicy.FOLLOWED_BY_SPEAKERS:
            on_stage = [place.person for place in stage.on_stage()]
            return Acquaintance(followed_by=frozenset(PersonId(id_) for id_ in who_follow(person, on_stage)))
        case HandPolicy.CLUB_MEMBERS:
            return Acquaintance(in_club=bool(room.club) and clubs().is_member(room.club, person))
        case _:
            return UNKNOWN


def acquaintance_for_stage(stage: RoomStage, person: str) -> Acquaintance:
    """What stands between somebody and the stage that they are about to enter."""
    return Acquaintance(blocked_by=blocked_by_stage(stage, [person]).get(PersonId(person), frozenset()))


def blocked_by_stage(stage: RoomStage, people: Iterable[str]) -> dict[PersonId, frozenset[PersonId]]:
    """Who on the stage has blocked each of `people`; who was blocked by nobody there is not in it."""
    on_stage = [place.person for place in stage.on_stage()]
    blocks = Block.objects.filter(blocked__in=list(people), blocker__in=on_stage).values_list("blocked_id", "blocker_id")
    blocked_by: dict[PersonId, frozenset[PersonId]] = {}
    for blocked, blocker in blocks:
        blocked_by[PersonId(blocked)] = blocked_by.get(PersonId(blocked), frozenset()) | {PersonId(blocker)}
    return blocked_by
