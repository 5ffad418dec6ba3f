"""How people's sound was: kept coarsely, of their own sessions only, for a month, shown to themselves and to staff."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from salon.common.ids import new_id
from salon.config.environment import environment
from salon.quality import tasks
from salon.quality.actions import keeping
from salon.quality.actions.keeping import keep_reports, window_of
from salon.quality.domain.steps import SHARE
from salon.quality.models import SoundQuality
from salon.rooms.models import MediaSession
from salon.worker.keeper import Keeper
from tests.social.people import Api

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, 7, 30, tzinfo=UTC)


def session_of(person, room, direction="listen", **more):
    owner = {"visitor": person} if isinstance(person, str) else {"person": person}
    return MediaSession.objects.create(
        id=new_id(), room=room, direction=direction, etag='"1"', opened_at=NOW - timedelta(minutes=1), **owner, **more
    )


def report(session, **measures):
    return {
        "session": session.id, "owner": session.owner, "period_secs": 60, "packets": 3000, "lost_share": 0.0, "jitter_ms": 5.0,
        "concealed_share": 0.0, "delay_ms": 60.0, "round_trip_ms": 30.0, "transport": "udp", **measures,
    }  # fmt: skip


def steps():
    rows = SoundQuality.objects.order_by("id")
    return list(rows.values_list("lost", "concealed", "jitter", "delay", "round_trip", "transport", "reports"))


@pytest.fixture
def staff(person):
    operator = person("operator")
    operator.is_staff = operator.is_superuser = True
    operator.save()
    client = Client()
    client.force_login(operator)
    return client


def test_measures_are_kept_as_steps(room, listener):
    kept = keep_reports([report(session_of(listener, room), lost_share=0.03, concealed_share=0.25, jitter_ms=60, delay_ms=700)], NOW)
    row = SoundQuality.objects.get()
    assert (kept, row.person, row.room, row.direction, row.at) == (1, listener, room, "listen", NOW.replace(minute=0, second=0))
    assert steps() == [(2, 5, 2, 4, 0, "udp", 1)]


def test_ten_minutes_are_one_row_with_the_worst_of_each(room, listener):
    session = session_of(listener, room)
    keep_reports([report(session, lost_share=0.3), report(session, concealed_share=0.06, transport=None)], NOW)
    keep_reports([report(session, lost_share=None, jitter_ms=None, delay_ms=200, transport="tcp")], NOW + timedelta(minutes=2))
    assert steps() == [(5, 3, 0, 2, 0, "tcp", 3)]
    keep_reports([report(session)], NOW + timedelta(minutes=3))
    assert len(steps()) == 2
    assert set(SoundQuality.objects.values_list("at", flat=True)) == {NOW.replace(minute=0, second=0), NOW.replace(minute=10, second=0)}


def test_unknown_is_not_good(room, speaker):
    session = session_of(speaker, room, "speak")
    keep_reports([report(session, concealed_share=None, delay_ms=None, round_trip_ms=None, transport=None)], NOW)
    assert steps() == [(0, None, 0, None, None, "", 1)]


def test_only_the_owner_of_a_session_reports_on_it(room, listener, stranger):
    session = session_of(listener, room)
    unknown = report(session) | {"session": new_id()}
    assert keep_reports([report(session) | {"owner": stranger.id}, unknown], NOW) == 0
    assert steps() == []


def test_visitors_leave_nothing(room):
    assert keep_reports([report(session_of(new_id(), room))], NOW) == 0


def test_session_that_ended_a_moment_ago_still_counts_and_an_older_one_does_not(room, listener, speaker):
    lately = session_of(listener, room, ended_at=NOW - timedelta(seconds=119))
    before = session_of(speaker, room, ended_at=NOW - timedelta(seconds=121))
    assert keep_reports([report(lately), report(before)], NOW) == 1
    assert SoundQuality.objects.get().person == listener


def test_listening_and_speaking_are_two_rows(room, speaker):
    assert keep_reports([report(session_of(speaker, room)), report(session_of(speaker, room, "speak"))], NOW) == 2


def test_nothing_is_kept_where_the_operator_wants_none(room, listener, monkeypatch):
    monkeypatch.setattr(keeping, "environment", lambda: replace(environment(), quality_days=0))
    assert keep_reports([report(session_of(listener, room))], NOW) == 0
    assert steps() == []


def test_keeper_keeps_what_gateways_say(room, listener):
    keeper = Keeper(0.0)
    keeper.hear("quality", {"reports": [report(session_of(listener, room)) | {"lost_share": 0.1}]}, 0.0)
    keeper.round(1.0)
    assert steps() == [(4, 0, 0, 0, 0, "udp", 1)]
    keeper.round(2.0)
    assert steps() == [(4, 0, 0, 0, 0, "udp", 1)]


def test_keeper_that_stands_by_keeps_nothing(room, listener):
    keeper = Keeper(0.0)
    keeper.hear("quality", {"reports": [report(session_of(listener, room))]}, 0.0)
    keeper.stand_by(1.0)
    keeper.round(2.0)
    assert steps() == []


def test_rows_are_forgotten_after_the_days_that_the_operator_set(room, listener, monkeypatch):
    session = session_of(listener, room)
    keep_reports([report(session)], NOW)
    SoundQuality.objects.update(at=timezone.now() - timedelta(days=29, hours=23))
    tasks.forget_quality(0)
    assert len(steps()) == 1
    SoundQuality.objects.update(at=timezone.now() - timedelta(days=30, minutes=1))
    tasks.forget_quality(0)
    assert steps() == []


def test_rows_go_with_the_account(room, listener, speaker):
    keep_reports([report(session_of(listener, room)), report(session_of(speaker, room))], NOW)
    listener.delete()
    assert SoundQuality.objects.get().person == speaker


def test_people_see_what_is_kept_of_them_and_of_nobody_else(room, listener, speaker):
    keep_reports([report(session_of(listener, room), concealed_share=0.3, jitter_ms=None), report(session_of(speaker, room))], NOW)
    answer = Api(listener).get("me/sound-quality")
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "quality": [
                {
                    "room": room.id, "at": "2026-11-23T12:00:00Z", "direction": "listen", "reports": 1, "transport": "udp",
                    "lost_share": [0.0, 0.005], "concealed_share": [0.2, None], "jitter_ms": None, "delay_ms": [0.0, 80.0],
                    "round_trip_ms": [0.0, 50.0],
                }
            ]
        },
    )  # fmt: skip


def test_visitors_have_none_to_see(room):
    assert Api().get("me/sound-quality").json()["code"] == "sign_in_required"


def texts_of(page):
    """The texts between tags, as they are read."""
    texts = unescape(re.sub(r"<[^>]+>", "\n", page.content.decode())).replace("\N{NO-BREAK SPACE}", " ").replace("\N{WORD JOINER}", "")
    return {text.strip() for text in texts.splitlines()}


def test_staff_read_it_in_their_language(staff, room, listener):
    SoundQuality.objects.create(person=listener, room=room, direction="speak", at=NOW, reports=1, lost=1, jitter=0)
    english, french = (
        texts_of(staff.get("/staff/quality/soundquality/", headers={"Accept-Language": language})) for language in ("en", "fr")
    )
    assert {"How people's sound was", "Began, UTC", "Nov 23, 12:07", "speaking", "Jitter, ms", "0.5–2"} <= english
    assert {"Comment était le son de chacun", "Début, UTC", "23 nov., 12:07", "parole", "Gigue, ms", "0,5–2"} <= french
    row = SoundQuality.objects.get()
    alone = texts_of(staff.get(f"/staff/quality/soundquality/{row.id}/change/", headers={"Accept-Language": "fr"}))
    assert {"Comment était le son de chacun", "parole", "0,5–2"} <= alone
    assert not (french | alone) & {"How people's sound was", "Began, UTC", "speak", "speaking", "Jitter, ms"}


def test_each_cell_of_a_card_names_its_measure(staff, room, listener):
    """Phones show no head above the columns."""
    SoundQuality.objects.create(person=listener, room=room, direction="listen", at=NOW, reports=1, delay=4)
    page = staff.get("/staff/quality/soundquality/").content.decode()
    assert re.search(r'<td class="field-delay"><span class="on-a-card">Delay, ms </span>≥\s600</td>', page)
    assert staff.get("/static/quality/sound_quality.css").status_code == 200
    assert '<link href="/static/quality/sound_quality.css" media="all" rel="stylesheet">' in page


def test_staff_filter_by_direction(staff, room, listener, speaker):
    keep_reports([report(session_of(listener, room)), report(session_of(speaker, room, "speak"))], NOW)
    found = [
        [row.person for row in staff.get(f"/staff/quality/soundquality/?direction={value}").context["cl"].result_list]
        for value in ("listen", "speak")
    ]
    assert found == [[listener], [speaker]]


def test_staff_find_somebodys_last_sessions_by_handle(staff, room, listener, speaker):
    keep_reports([report(session_of(listener, room), concealed_share=0.3), report(session_of(speaker, room))], NOW)
    page = staff.get("/staff/quality/soundquality/?q=listener")
    assert page.status_code == 200
    assert {"Concealed, %", "≥ 20", "Delay, ms", "< 80", "listening"} <= texts_of(page)
    assert page.context["cl"].result_count == 1
    assert staff.get("/staff/quality/soundquality/?sound=poor").context["cl"].result_count == 1
    assert staff.get("/staff/quality/soundquality/").context["cl"].result_count == 2


def test_staff_change_nothing(staff, room, listener):
    keep_reports([report(session_of(listener, room))], NOW)
    row = SoundQuality.objects.get()
    assert staff.get("/staff/quality/soundquality/add/").status_code == 403
    assert staff.get(f"/staff/quality/soundquality/{row.id}/change/").status_code == 200
    assert staff.post(f"/staff/quality/soundquality/{row.id}/change/", {"lost": 0}).status_code == 403
    assert staff.post(f"/staff/quality/soundquality/{row.id}/delete/").status_code == 403


def test_others_do_not_see_the_staff_page(listener):
    client = Client()
    client.force_login(listener)
    assert client.get("/staff/quality/soundquality/").status_code in (302, 403)


def test_windows_begin_at_full_tens_of_minutes():
    assert window_of(NOW) == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert window_of(datetime(2026, 11, 23, 12, 10, tzinfo=UTC)) == datetime(2026, 11, 23, 12, 10, tzinfo=UTC)


def test_staff_read_measures_and_never_the_numbers_of_steps(staff, room, listener):
    row = SoundQuality.objects.create(person=listener, room=room, direction="listen", at=timezone.now(), reports=1, lost=3, concealed=None)
    page = staff.get(f"/staff/quality/soundquality/{row.id}/change/").content.decode()
    shown = [unescape(text).strip() for text in re.findall(r'<div class="readonly">(.*?)</div>', page, re.DOTALL)]
    assert SHARE.label(3) in [text.replace("\N{WORD JOINER}", "") for text in shown]
    assert (shown.count("–"), "None" in shown) == (5, False), "four measures, and the transport"
    assert "3" not in shown
