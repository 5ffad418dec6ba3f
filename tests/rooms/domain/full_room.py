"""One room with somebody in every standing and role, for the tests of rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from salon.rooms.domain.room_stage import PersonId, RoomStage, StagePlace, StageRules
from salon.rooms.enums import Phase, Role

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
HOST, MODERATOR, PEER, SPEAKER, LISTENER, WAITING, INVITED, OUTSIDE, STRANGER = map(
    PersonId, ("host", "moderator", "peer", "speaker", "listener", "waiting", "invited", "outside", "stranger")
)
"""The host, a moderator and a speaker are on the stage, the peer is a moderator in the audience; the stranger has no place."""


def minutes_ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def full_room(phase: Phase = Phase.LIVE, **rules: Any) -> RoomStage:
    places = [
        StagePlace(person=HOST, csrc=1, role=Role.HOST, ever_moderated=True, on_stage_since=minutes_ago(9)),
        StagePlace(person=MODERATOR, csrc=2, role=Role.MODERATOR, ever_moderated=True, on_stage_since=minutes_ago(8)),
        StagePlace(person=PEER, csrc=3, role=Role.MODERATOR, ever_moderated=True),
        StagePlace(person=SPEAKER, csrc=4, role=Role.SPEAKER, on_stage_since=minutes_ago(7)),
        StagePlace(person=LISTENER, csrc=5),
        StagePlace(person=WAITING, csrc=6, hand_raised_at=minutes_ago(6)),
        StagePlace(person=INVITED, csrc=7, hand_raised_at=minutes_ago(5), invited_at=minutes_ago(4), invited_by=MODERATOR),
        StagePlace(person=OUTSIDE, csrc=8, is_in=False),
    ]
    return RoomStage(phase, {place.person: place for place in places}, StageRules(**{"opener": HOST, **rules}))


def with_changed(stage: RoomStage, person: PersonId, **changes: Any) -> RoomStage:
    """The stage with fields of one place set, as if it had come so."""
    return replace(stage, places={**stage.places, person: replace(stage.places[person], **changes)})


def people_on_stage(stage: RoomStage) -> list[PersonId]:
    return [place.person for place in stage.on_stage()]
