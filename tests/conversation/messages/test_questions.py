"""ask_question, vote_question, unvote_question, take_question and close_question, through the front door."""

import pytest

from salon.conversation.domain.questions import LISTED_PER_ROOM
from salon.conversation.models import Question, QuestionVote
from salon.conversation.rate_limits import QUESTIONS
from salon.rooms.models import Place, Room, RoomAction
from salon.streams.models import StreamEvent
from tests.conversation.conversation import told_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def question(send):
    """The listener's."""
    return send("listener", "ask_question", text="Why is it so?")["id"]


def logged():
    entry = RoomAction.objects.filter(logged=True).latest("id")
    return entry.action, entry.actor.handle, entry.target and entry.target.handle, entry.data


def votes():
    return Question.objects.get().votes, QuestionVote.objects.count()


def test_ask_question(send, room):
    answer = send("listener", "ask_question", text=" Why is\nit so? ")
    assert answer == {"seq": 1, "id": Question.objects.get().id}
    kind, data = told_in(room)[-1]
    assert (kind, data["id"], data["text"], data["state"], data["author"]["handle"]) == (
        "question_asked", answer["id"], "Why is it so?", "open", "listener"
    )  # fmt: skip


def test_ask_question_that_is_empty_or_too_long(send):
    for text in ("", "\n", "x" * 301):
        refused = send("listener", "ask_question", text=text)
        assert (refused["code"], refused["field"]) == ("invalid", "text")


def test_ask_question_while_three_of_ones_own_are_open(send, room, listener):
    asked = [send("listener", "ask_question", text=f"Question {n}")["id"] for n in range(3)]
    Question.objects.create(room=room, author=listener, text="Gone", state="closed", seq=99, asked_at=room.opened_at)
    assert send("speaker", "ask_question", text="Mine")["seq"] == 4
    QUESTIONS.forget_all()
    assert send("listener", "ask_question", text="A fourth")["code"] == "too_many_questions"
    send("hostess", "take_question", question=asked[0], how="read")
    assert "id" in send("listener", "ask_question", text="A fourth")


def test_ask_question_in_a_room_that_has_enough(send, room, speaker):
    Question.objects.bulk_create(
        Question(room=room, author=speaker, text="?", seq=1000 + n, asked_at=room.opened_at, state="read") for n in range(LISTED_PER_ROOM)
    )
    assert send("listener", "ask_question", text="One more")["code"] == "too_many_questions"


def test_ask_question_refused(send, listener):
    assert send("stranger", "ask_question", text="Why?")["code"] == "not_in_room"
    Place.objects.filter(person=listener).update(silenced=True)
    assert send("listener", "ask_question", text="Why?")["code"] == "silenced"
    Room.objects.update(questions=False)
    assert [send(who, "ask_question", text="Why?")["code"] for who in ("speaker", "hostess")] == ["switched_off"] * 2


def test_vote_question(send, question, speaker):
    assert send("speaker", "vote_question", question=question) == {"seq": 1}
    assert votes() == (1, 1)
    assert send("speaker", "vote_question", question=question)["code"] == "already_voted"
    assert send("moderator", "vote_question", question=question) == {"seq": 1}
    assert votes() == (2, 2)


def test_vote_question_of_who_is_silenced_counts(send, question, speaker):
    Place.objects.filter(person=speaker).update(silenced=True)
    assert send("speaker", "vote_question", question=question) == {"seq": 1}


def test_vote_question_refused(send, question):
    own = send("listener", "vote_question", question=question)
    assert (own["code"], own["field"]) == ("cannot_act_on_oneself", "question")
    assert send("stranger", "vote_question", question=question)["code"] == "not_in_room"
    missing = send("speaker", "vote_question", question="a" * 26)
    assert (missing["code"], missing["field"]) == ("not_found", "question")
    send("hostess", "close_question", question=question)
    assert send("speaker", "vote_question", question=question)["code"] == "not_found"
    assert votes() == (0, 0)


def test_vote_question_while_questions_are_off(send, question):
    Room.objects.update(questions=False)
    assert send("speaker", "vote_question", question=question)["code"] == "switched_off"


def test_unvote_question(send, question):
    assert send("speaker", "unvote_question", question=question)["code"] == "not_voted"
    send("speaker", "vote_question", question=question)
    assert send("speaker", "unvote_question", question=question) == {"seq": 1}
    assert votes() == (0, 0)
    assert send("speaker", "unvote_question", question=question)["code"] == "not_voted"


def test_take_question_to_read_it(send, room, question):
    assert send("speaker", "take_question", question=question, how="read")["code"] == "not_a_moderator"
    assert send("moderator", "take_question", question=question, how="read") == {"seq": 2}
    assert told_in(room)[-1] == ("question_changed", {"question": question, "state": "read"})
    assert logged() == ("take_question", "moderator", "listener", {"question": question, "how": "read"})
    for how in ("read", "invite"):
        refused = send("hostess", "take_question", question=question, how=how)
        assert (refused["code"], refused["field"]) == ("already_taken", "question")


def test_take_question(send, room, question, listener):
    assert send("moderator", "take_question", question=question, how="invite") == {"seq": 2}
    assert told_in(room)[-1] == ("question_changed", {"question": question, "state": "invited"})
    place = Place.objects.get(person=listener)
    assert (place.invited_by.handle, place.on_stage_since) == ("moderator", None)
    queue = StreamEvent.objects.filter(stream=f"hands/{room.id}").order_by("seq").values_list("kind", flat=True)
    assert list(queue) == ["hand_raised", "hand_invited"]
    own = StreamEvent.objects.filter(stream=f"person/{listener.id}").latest("seq").data
    assert (own["cause"], own["by"]["handle"], own["place"]["invited_by"]["handle"]) == ("take_question", "moderator", "moderator")
    assert logged() == ("take_question", "moderator", "listener", {"question": question, "how": "invite"})
    assert "seq" in send("listener", "accept_invitation")


def test_take_question_of_a_hand_that_is_up_answers_that_hand(send, room, question):
    send("listener", "raise_hand")
    send("hostess", "take_question", question=question, how="invite")
    queue = StreamEvent.objects.filter(stream=f"hands/{room.id}").order_by("seq").values_list("kind", flat=True)
    assert list(queue) == ["hand_raised", "hand_invited"]


def test_take_question_whose_author_cannot_come_up_changes_nothing(send, room, question):
    before = told_in(room)
    send("listener", "leave_room")
    refused = send("hostess", "take_question", question=question, how="invite")
    assert (refused["code"], refused["field"]) == ("not_in_room", "question")
    of_a_speaker = send("speaker", "ask_question", text="And I?")["id"]
    refused = send("hostess", "take_question", question=of_a_speaker, how="invite")
    assert (refused["code"], refused["field"]) == ("already_on_stage", "question")
    assert list(Question.objects.values_list("state", flat=True)) == ["open", "open"]
    assert told_in(room)[:-1] == before
    assert not RoomAction.objects.filter(action="take_question").exists()
    assert send("hostess", "take_question", question=question, how="read") == {"seq": 3}


def test_take_question_again_to_read_it_after_its_author_declined(send, question):
    send("hostess", "take_question", question=question, how="invite")
    assert send("hostess", "take_question", question=question, how="invite")["code"] == "already_taken"
    send("listener", "decline_invitation")
    assert send("hostess", "take_question", question=question, how="read") == {"seq": 3}


def test_take_question_refused(send, question):
    assert send("hostess", "take_question", question=question, how="sing")["field"] == "how"
    assert send("hostess", "take_question", question="a" * 26, how="read")["field"] == "question"
    Room.objects.update(questions=False)
    assert send("hostess", "take_question", question=question, how="read")["code"] == "switched_off"


def test_close_question(send, room, question):
    assert send("listener", "close_question", question=question) == {"seq": 2}
    assert told_in(room)[-1] == ("question_closed", {"question": question})
    assert not RoomAction.objects.filter(action="close_question").exists()
    assert send("listener", "close_question", question=question)["code"] == "not_found"


def test_close_question_of_ones_own_that_was_taken_up(send, question):
    send("hostess", "take_question", question=question, how="read")
    refused = send("listener", "close_question", question=question)
    assert (refused["code"], refused["field"]) == ("already_taken", "question")


def test_close_question_by_a_moderator(send, question):
    assert send("speaker", "close_question", question=question)["code"] == "not_a_moderator"
    Room.objects.update(questions=False)
    assert send("moderator", "close_question", question=question) == {"seq": 2}
    assert logged() == ("close_question", "moderator", "listener", {"question": question})
