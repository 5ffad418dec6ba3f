"""Operators see that something was written, by whom and when; not what people wrote to each other."""

import pytest
from django.test import Client

from salon.conversation.actions import chat, polls, questions
from tests.rooms.people import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(person):
    operator = person("operator")
    operator.is_staff = operator.is_superuser = True
    operator.save()
    client = Client()
    client.force_login(operator)
    return client


def test_staff_read_no_texts_and_change_nothing(staff, room, host, listener):
    message = chat.post_message(caller(listener), room.id, "For the room alone").id
    question = questions.ask_question(caller(listener), room.id, "For the room alone?").id
    poll = polls.open_poll(caller(host), room.id, "Tea or coffee?", ["Tea", "Coffee"]).id
    for model, key in (("chatmessage", message), ("question", question), ("link", None), ("poll", poll)):
        page = staff.get(f"/staff/conversation/{model}/")
        assert page.status_code == 200
        assert b"For the room" not in page.content
        assert staff.get(f"/staff/conversation/{model}/add/").status_code == 403
        if key:
            detail = staff.get(f"/staff/conversation/{model}/{key}/change/")
            assert detail.status_code == 200
            assert b"For the room" not in detail.content
            assert staff.post(f"/staff/conversation/{model}/{key}/delete/").status_code == 403
