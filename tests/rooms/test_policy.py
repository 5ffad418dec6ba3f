import json

import pytest

from salon.rooms import policy
from salon.rooms.actions import hands, mutes
from salon.rooms.actions.attendance import enter_room
from salon.rooms.actions.end_room import end_room
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.policy import policy_of
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(room, monkeypatch):
    sent = []
    monkeypatch.setattr(policy, "publish_on_commit", lambda subject, message: sent.append((subject, json.loads(json.dumps(message)))))
    return sent


def test_policy_is_published_with_the_change_and_a_higher_version(published, room, speaker):
    before = policy_of(room)
    mutes.mute(caller(speaker), room.id)
    (subject, sent), *further = published
    assert (subject, further) == (f"policy.{room.id}", [])
    assert sent["version"] == before["version"] + 1
    assert {each["person"]: each["muted"] for each in sent["speakers"]}[speaker.id] is True
    room.refresh_from_db()
    assert policy_of(room) == sent


def test_policy_is_not_published_for_what_media_need_not_know(published, room, listener, stranger):
    hands.raise_hand(caller(listener), room.id)
    enter_room(room, stranger)
    assert published == []


def test_policy_after_a_removal_names_the_epoch_of_the_removed_alone(published, room, host, listener):
    remove_person(caller(host), room.id, listener.id, reason="", minutes=None)
    assert published[0][1]["epochs"] == {listener.id: 1}


def test_policy_of_an_ended_room_has_no_speakers(published, room, host):
    end_room(caller(host), room.id)
    sent = published[0][1]
    assert (sent["phase"], sent["speakers"]) == ("ended", [])
