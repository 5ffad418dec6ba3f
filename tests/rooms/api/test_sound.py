from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from salon.common.signing import read_grant
from salon.config.environment import Mode, environment
from salon.rooms import rate_limits
from salon.rooms.actions.end_room import end_room
from salon.rooms.actions.remove_person import remove_person
from salon.rooms.api import sound
from salon.rooms.errors import InvalidSdp, MediaUnavailable
from salon.rooms.media import GrantRefused
from salon.rooms.models import MediaSession, Place, Room
from salon.rooms.tasks import forget_sessions
from tests.rooms.people import Api, caller

pytestmark = pytest.mark.django_db
FRAGMENT = "application/trickle-ice-sdpfrag"
RESTART = "a=ice-ufrag:abcd\r\na=ice-pwd:" + "x" * 22 + "\r\n"


@pytest.fixture
def strangers_room(room, stranger):
    return room, Api(stranger)


def session_of(answer):
    return answer["Location"].removeprefix("/api/v1/media/")


def patch(api, session, fragment=RESTART, content_type=FRAGMENT, **headers):
    return api.client.patch(f"/api/v1/media/{session}", fragment, content_type, headers=headers)


def delete(api, session):
    return api.client.delete(f"/api/v1/media/{session}")


def test_listen_answers_created_with_location_etag_and_sdp(room, stranger, media_process):
    answer = Api(stranger).sound(room.id, "listen", b"v=0 offer", "application/sdp; charset=utf-8")
    assert (answer.status_code, answer["Content-Type"], answer["ETag"], answer.content) == (
        201,
        "application/sdp",
        '"etag-1"',
        b"v=0 answer",
    )
    session = MediaSession.objects.get()
    assert answer["Location"] == f"/api/v1/media/{session.id}"
    assert (session.person, session.direction, session.ended_at) == (stranger, "listen", None)


def test_listen_enters_the_room(room, stranger, media_process):
    api = Api(stranger)
    assert api.mine(room.id) is None
    api.sound(room.id, "listen")
    assert (api.mine(room.id)["role"], api.mine(room.id)["on_stage"]) == ("listener", False)


def test_listen_hands_media_a_grant_and_the_rooms_policy(room, host, speaker, stranger, media_process):
    Api(stranger).sound(room.id, "listen", b"v=0 offer")
    grant, offer, policy = media_process.opened[0]
    read = read_grant(grant, environment().secret_key, now=0)
    assert (read["room"], read["person"], read["direction"], read["epoch"]) == (room.id, stranger.id, "listen", 0)
    assert (read["face"]["handle"], offer) == ("stranger", "v=0 offer")
    places = {place.person_id: place.csrc for place in Place.objects.all()}
    assert policy == {
        "room": room.id, "version": room.policy_version, "phase": "live", "epochs": {},
        "speakers": [{"person": person.id, "csrc": places[person.id], "muted": False} for person in (host, speaker)],
    }  # fmt: skip


def test_listen_as_a_visitor_makes_no_place(room, media_process):
    before = Place.objects.count()
    assert Api().sound(room.id, "listen").status_code == 201
    assert Place.objects.count() == before
    session = MediaSession.objects.get()
    assert session.person is None
    assert session.visitor == read_grant(media_process.opened[0][0], environment().secret_key, now=0)["person"]


def test_listen_as_a_visitor_where_the_operator_lets_none(room, media_process, without_visitors):
    answer = Api().sound(room.id, "listen")
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")
    assert media_process.opened == []


@pytest.mark.parametrize(
    ("offer", "content_type", "refusal"),
    [
        (b"v=0", "application/json", (415, "unsupported_media_type")),
        (b"v=0", "text/plain", (415, "unsupported_media_type")),
        (b" \r\n", "application/sdp", (400, "invalid_sdp")),
        (b"\xff\xfe", "application/sdp", (400, "invalid_sdp")),
        (b"v=0\0", "application/sdp", (400, "invalid_sdp")),
        (b"v" * (32 * 1024 + 1), "application/sdp", (413, "too_large")),
        (b"v" * (300 * 1024), "application/sdp", (413, "too_large")),
    ],
)
def test_listen_refuses_what_is_no_offer(strangers_room, media_process, offer, content_type, refusal):
    room, api = strangers_room
    answer = api.sound(room.id, "listen", offer, content_type)
    assert (answer.status_code, answer.json()["code"]) == refusal
    assert media_process.opened == []


def test_listen_takes_an_offer_of_exactly_the_limit(room, stranger, media_process):
    assert Api(stranger).sound(room.id, "listen", b"v" * 32 * 1024).status_code == 201


def test_listen_names_what_the_engine_says_is_wrong(room, stranger, media_process):
    media_process.failure = InvalidSdp("The offer has no audio section.")
    answer = Api(stranger).sound(room.id, "listen")
    assert (answer.status_code, answer.json()) == (
        400,
        {"code": "invalid_sdp", "message": "The offer has no audio section.", "field": None},
    )
    assert not Place.objects.filter(person=stranger, left_at=None).exists()


def test_listen_while_media_restarts_says_when_to_ask_again(room, stranger, media_process):
    media_process.failure = MediaUnavailable()
    answer = Api(stranger).sound(room.id, "listen")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "media_unavailable", "1")


def test_listen_to_an_ended_room(room, host, stranger, media_process):
    end_room(caller(host), room.id)
    answer = Api(stranger).sound(room.id, "listen")
    assert (answer.status_code, answer.json()["code"]) == (410, "room_ended")


def test_listen_after_a_removal(room, host, listener, media_process):
    remove_person(caller(host), room.id, listener.id, reason="", minutes=None)
    assert Api(listener).sound(room.id, "listen").status_code == 404


def test_listen_when_the_room_ends_while_the_offer_is_answered(room, host, stranger, media_process):
    media_process.before_answer = lambda: end_room(caller(host), room.id)
    answer = Api(stranger).sound(room.id, "listen")
    assert (answer.status_code, answer.json()["code"]) == (410, "room_ended")
    session = MediaSession.objects.get()
    assert (session.end_reason, media_process.closed) == ("refused", [(session.id, stranger.id)])
    assert not Place.objects.filter(person=stranger, left_at=None).exists()


def test_listen_when_the_removal_reached_media_first(room, host, listener, media_process):
    media_process.failure = GrantRefused()
    assert Api(listener).sound(room.id, "listen").status_code == 503
    remove_person(caller(host), room.id, listener.id, reason="", minutes=None)
    assert Api(listener).sound(room.id, "listen").status_code == 404


def test_speak_from_the_stage(room, speaker, media_process):
    assert Api(speaker).sound(room.id, "speak").status_code == 201
    assert read_grant(media_process.opened[0][0], environment().secret_key, now=0)["direction"] == "speak"


def test_speak_without_a_place_on_the_stage(room, listener, stranger, media_process):
    for person in (listener, stranger):
        answer = Api(person).sound(room.id, "speak")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_on_stage")
    assert media_process.opened == []


def test_speak_as_a_visitor(room, media_process):
    answer = Api().sound(room.id, "speak")
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_required")


def test_restart_ice_answers_the_servers_credentials_and_a_new_etag(room, listener, media_process):
    api = Api(listener)
    session = session_of(api.sound(room.id, "listen"))
    answer = patch(api, session, **{"If-Match": "*"})
    assert (answer.status_code, answer["Content-Type"], answer["ETag"], answer.content) == (
        200,
        FRAGMENT,
        '"etag-2"',
        b"a=ice-ufrag:server",
    )
    assert media_process.restarted == [(session, listener.id, RESTART)]
    assert patch(api, session, **{"If-Match": '"etag-2"'}).status_code == 200


def test_restart_ice_with_an_etag_that_is_over(room, listener, media_process):
    api = Api(listener)
    session = session_of(api.sound(room.id, "listen"))
    answer = patch(api, session, **{"If-Match": '"etag-0"'})
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    answer = patch(api, session)
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")
    assert media_process.restarted == []


def test_patch_that_carries_only_candidates_is_ignored(room, listener, media_process):
    api = Api(listener)
    session = session_of(api.sound(room.id, "listen"))
    answer = patch(api, session, "m=audio 9 RTP/AVP 0\r\na=candidate:1 1 UDP 1 192.0.2.1 9 typ host\r\n", **{"If-Match": "*"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert media_process.restarted == []


def test_patch_of_another_content_type(room, listener, media_process):
    api = Api(listener)
    session = session_of(api.sound(room.id, "listen"))
    assert patch(api, session, content_type="application/sdp", **{"If-Match": "*"}).status_code == 415


def test_a_session_exists_for_its_owner_alone(room, listener, stranger, media_process):
    session = session_of(Api(listener).sound(room.id, "listen"))
    for outsider in (Api(stranger), Api()):
        assert patch(outsider, session, **{"If-Match": "*"}).status_code == 404
        assert delete(outsider, session).status_code == 404
    assert (media_process.restarted, media_process.closed) == ([], [])


@pytest.mark.parametrize("session", ["a" * 26, "nonsense", "%00"])
def test_an_unknown_session(room, listener, media_process, session):
    assert patch(Api(listener), session, **{"If-Match": "*"}).status_code == 404
    assert delete(Api(listener), session).status_code == 404


def test_a_visitors_session_belongs_to_their_cookie(room, media_process):
    api, other = Api(), Api()
    session = session_of(api.sound(room.id, "listen"))
    assert delete(other, session).status_code == 404
    assert delete(api, session).status_code == 200


def test_delete_of_the_listening_session_leaves_the_room(room, listener, media_process):
    api = Api(listener)
    session = session_of(api.sound(room.id, "listen"))
    assert delete(api, session).status_code == 200
    assert media_process.closed == [(session, listener.id)]
    assert api.mine(room.id) is None
    assert delete(api, session).status_code == 404


def test_delete_of_the_speaking_session_keeps_the_stage(room, speaker, media_process):
    api = Api(speaker)
    session = session_of(api.sound(room.id, "speak"))
    assert delete(api, session).status_code == 200
    assert api.mine(room.id)["on_stage"] is True


def test_delete_of_a_session_that_was_taken_over_stays_in_the_room(room, listener, media_process):
    api = Api(listener)
    older = session_of(api.sound(room.id, "listen"))
    api.sound(room.id, "listen")
    media_process.gone = {older}
    assert delete(api, older).status_code == 200
    assert api.mine(room.id)["role"] == "listener"


def test_delete_while_media_restarts_changes_nothing(room, listener, media_process):
    api = Api(listener)
    session = session_of(api.sound(room.id, "listen"))
    media_process.failure = MediaUnavailable()
    assert delete(api, session).status_code == 503
    assert MediaSession.objects.get().ended_at is None
    assert api.mine(room.id)["role"] == "listener"


def test_leave_room_ends_both_sessions_of_a_speaker(room, speaker, media_process, django_capture_on_commit_callbacks):
    api = Api(speaker)
    sessions = {session_of(api.sound(room.id, direction)) for direction in ("listen", "speak")}
    with django_capture_on_commit_callbacks(execute=True):
        assert api.command(room.id, "leave_room").status_code == 200
    assert set(media_process.closed) == {(session, speaker.id) for session in sessions}
    assert set(MediaSession.objects.values_list("end_reason", flat=True)) == {"left"}


def test_leave_room_of_the_last_person_ends_the_room(room, cast, media_process, django_capture_on_commit_callbacks):
    *others, listener = cast
    Room.objects.update(entered_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        for person in others:
            Api(person).command(room.id, "leave_room")
    assert Api().state(room.id)["phase"] == "live"
    with django_capture_on_commit_callbacks(execute=True):
        Api(listener).command(room.id, "leave_room", key="k1")
        # One transaction, one emission: the end is told in another.
        assert Api().state(room.id)["phase"] == "live"
    room.refresh_from_db()
    assert (room.phase, room.end_reason) == ("ended", "empty")


def test_sound_too_often(room, stranger, media_process, monkeypatch):
    monkeypatch.setattr(rate_limits.SOUND, "_clock", lambda: 0.0)
    api = Api(stranger)
    assert [api.sound(room.id, "listen").status_code for _ in range(21)] == [201] * 20 + [429]


@pytest.fixture
def in_production(monkeypatch):
    """Where limits per address count."""
    monkeypatch.setattr(sound, "environment", lambda: replace(environment(), mode=Mode.PRODUCTION))
    monkeypatch.setattr(rate_limits.VISITORS_SOUND, "_clock", lambda: 0.0)


def listen_as_somebody_new(room, address, api=None):
    return (api or Api()).client.post(
        f"/api/v1/rooms/{room.id}/listen", b"v=0\r\n", "application/sdp", headers={"X-Forwarded-For": f"192.0.2.99, {address}"}
    )


def test_visitors_without_cookies_are_counted_by_address(room, stranger, media_process, in_production):
    answers = [listen_as_somebody_new(room, "192.0.2.1") for _ in range(61)]
    assert [answer.status_code for answer in answers] == [201] * 60 + [429]
    assert (answers[-1].json()["code"], answers[-1]["Retry-After"]) == ("too_many_requests", "1")
    assert listen_as_somebody_new(room, "192.0.2.2").status_code == 201
    assert listen_as_somebody_new(room, "192.0.2.1", Api(stranger)).status_code == 201


def test_addresses_of_one_network_of_ipv6_count_as_one(room, media_process, in_production):
    answers = [listen_as_somebody_new(room, f"2001:db8:1:1::{number:x}") for number in range(61)]
    assert [answer.status_code for answer in answers] == [201] * 60 + [429]
    assert listen_as_somebody_new(room, "2001:db8:1:2::1").status_code == 201
    assert set(media_process.sources) == {"2001:db8:1:1::", "2001:db8:1:2::"}, "what media counts by as well"


def test_visitors_are_not_counted_by_address_in_development(room, media_process, monkeypatch):
    monkeypatch.setattr(rate_limits.VISITORS_SOUND, "_clock", lambda: 0.0)
    assert {listen_as_somebody_new(room, "192.0.2.1").status_code for _ in range(61)} == {201}


def test_sessions_are_forgotten_a_day_after_they_ended(room, stranger, media_process):
    api = Api(stranger)
    old, lately, still_open = [session_of(api.sound(room.id, "listen")) for _ in range(3)]
    now = timezone.now()
    MediaSession.objects.update(opened_at=now - timedelta(days=3))
    MediaSession.objects.filter(id=old).update(ended_at=now - timedelta(days=1, seconds=1))
    MediaSession.objects.filter(id=lately).update(ended_at=now - timedelta(hours=23))
    forget_sessions(timestamp=0)
    assert set(MediaSession.objects.values_list("id", flat=True)) == {lately, still_open}
