"""What the media process must know of a room to enforce it: `Policy` of docs/subsystems/processes.md."""

import threading
from collections import OrderedDict

from typing_extensions import TypedDict

from salon.bus import publish_on_commit
from salon.rooms.domain.room_stage import RoomStage
from salon.rooms.models import Place, Room
from salon.rooms.stages import seats_on_stage

# Rooms that fill at one time; beyond it policies are read again.
_REMEMBERED = 1000
_known: OrderedDict[tuple[str, int], "Policy"] = OrderedDict()
_known_lock = threading.Lock()


class PolicySpeaker(TypedDict):
    person: str
    csrc: int
    muted: bool


class Policy(TypedDict):
    room: str
    version: int
    phase: str
    speakers: list[PolicySpeaker]
    epochs: dict[str, int]


def policy_of(room: Room) -> Policy:
    return policies_of([room])[0]


def known_policy_of(room: Room) -> Policy:
    """For whoever comes in: everything that a policy says raises its version, so of one version it need be read once.

    room: as just read. What is read is what it was then, or newer. Not to be changed by the caller.
    """
    key = (room.id, room.policy_version)
    with _known_lock:
        if (known := _known.get(key)) is not None:
            return known
    policy = policy_of(room)
    with _known_lock:
        _known[key] = policy
        if len(_known) > _REMEMBERED:
            _known.popitem(last=False)
    return policy


def policies_of(rooms: list[Room]) -> list[Policy]:
    """In two queries, whatever the number of rooms."""
    seats = seats_on_stage(rooms)
    epochs: dict[str, dict[str, int]] = {room.id: {} for room in rooms}
    # Only raised epochs: a room of thousands has few removals, and zero is what nobody needs to be told.
    raised = Place.objects.filter(room__in=[room.id for room in rooms], epoch__gt=0)
    for room_id, person_id, epoch in raised.values_list("room_id", "person_id", "epoch"):
        epochs[room_id][person_id] = epoch
    return [_policy(room, seats[room.id].stage, epochs[room.id]) for room in rooms]


def publish_policy(room: Room) -> None:
    """Raise the version and publish on commit. The room's row is locked."""
    room.policy_version += 1
    room.save(update_fields=["policy_version"])
    publish_on_commit(f"policy.{room.id}", dict(policy_of(room)))


def heard(stage: RoomStage) -> frozenset[tuple[str, int, bool]]:
    """What of a stage the media process enforces: two stages that agree in it need no new policy."""
    return frozenset((place.person, place.csrc, place.muted) for place in stage.on_stage())


def epochs_of(stage: RoomStage) -> frozenset[tuple[str, int]]:
    return frozenset((place.person, place.epoch) for place in stage.places.values())


def _policy(room: Room, stage: RoomStage, epochs: dict[str, int]) -> Policy:
    speakers: list[PolicySpeaker] = [{"person": p.person, "csrc": p.csrc, "muted": p.muted} for p in stage.on_stage()]
    return {"room": room.id, "version": room.policy_version, "phase": room.phase, "speakers": speakers, "epochs": epochs}
