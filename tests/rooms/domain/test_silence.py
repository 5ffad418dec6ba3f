import pytest

from salon.rooms.domain.silence import silence_person, unsilence_person
from salon.rooms.enums import Phase
from salon.rooms.errors import CannotActOnModerator, NotAModerator, NotInRoom, RoomEnded
from tests.rooms.domain.full_room import HOST, LISTENER, MODERATOR, OUTSIDE, PEER, SPEAKER, STRANGER, full_room, with_changed


@pytest.mark.parametrize(("actor", "person"), [(MODERATOR, LISTENER), (MODERATOR, SPEAKER), (MODERATOR, OUTSIDE), (HOST, PEER)])
def test_silence_and_unsilence(actor, person):
    silenced = silence_person(full_room(), actor, person)
    assert silenced.stage == with_changed(full_room(), person, silenced=True)
    assert silenced.happened == ()
    assert unsilence_person(silenced.stage, actor, person).stage == full_room()


@pytest.mark.parametrize("silenced", [True, False])
def test_silence_again_changes_nothing(silenced):
    before = with_changed(full_room(), LISTENER, silenced=silenced)
    rule = silence_person if silenced else unsilence_person
    assert rule(before, MODERATOR, LISTENER).stage == before


@pytest.mark.parametrize("rule", [silence_person, unsilence_person])
@pytest.mark.parametrize(
    ("before", "actor", "person", "refusal", "field"),
    [
        (full_room(Phase.ENDED), HOST, SPEAKER, RoomEnded, None),
        (full_room(), STRANGER, SPEAKER, NotInRoom, None),
        (full_room(), SPEAKER, LISTENER, NotAModerator, None),
        (full_room(), HOST, STRANGER, NotInRoom, "person"),
        (full_room(), MODERATOR, PEER, CannotActOnModerator, "person"),
        (full_room(), MODERATOR, HOST, CannotActOnModerator, "person"),
    ],
)
def test_silence_refused(*, rule, before, actor, person, refusal, field):
    with pytest.raises(refusal) as refused:
        rule(before, actor, person)
    assert refused.value.field == field
