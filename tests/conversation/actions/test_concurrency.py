"""Two at once, on two real connections."""

import pytest
from django.utils import timezone

from salon.conversation.actions import chat, links, polls, questions
from salon.conversation.actions.retention import forget_conversations
from salon.conversation.enums import TakenHow
from salon.conversation.models import ChatMessage, Link, Poll, PollVoter, Question, QuestionVote
from salon.conversation.tally import tally_of
from salon.rooms.actions import hands, invitations
from salon.rooms.actions.attendance import enter_room
from salon.rooms.actions.end_room import end_room
from salon.rooms.actions.silence import silence_person
from salon.rooms.errors import Silenced
from salon.rooms.models import Room
from salon.streams.kinds import Watcher
from salon.streams.models import StreamEvent
from tests.rooms.actions.test_concurrency import at_once, numbers_are_gapless
from tests.rooms.people import caller
from tests.rooms.test_events import Watch

pytestmark = pytest.mark.django_db(transaction=True)


def refusals(results):
    return sorted(result for result in results if isinstance(result, str))


def test_two_polls_at_once_open_one(room, host, moderator):
    results = at_once(*(lambda by=by: polls.open_poll(caller(by), room.id, "Now?", ["Yes", "No"]) for by in (host, moderator)))
    assert refusals(results) == ["poll_open"]
    assert Poll.objects.count() == StreamEvent.objects.filter(kind="poll_opened").count() == 1


def test_four_links_at_once_pin_three(room, host, moderator):
    results = at_once(
        *(lambda n=n: links.pin_link(caller((host, moderator)[n % 2]), room.id, f"https://example.com/{n}", "") for n in range(4))
    )
    assert refusals(results) == ["too_many_links"]
    assert Link.objects.count() == 3


def test_one_person_votes_once_however_many_ask_at_once(room, host, listener, speaker):
    poll = polls.open_poll(caller(host), room.id, "Now?", ["Yes", "No"]).id
    asked = questions.ask_question(caller(speaker), room.id, "Why?").id
    results = at_once(
        *[lambda: polls.vote_poll(caller(listener), room.id, poll, 0)] * 2,
        *[lambda: questions.vote_question(caller(listener), room.id, asked)] * 2,
    )
    assert refusals(results) == ["already_voted", "already_voted"]
    assert (Poll.objects.get().counts, PollVoter.objects.count()) == ([1, 0], 1)
    assert (Question.objects.get().votes, QuestionVote.objects.count()) == (1, 1)


def test_votes_of_many_at_once_are_all_counted_and_the_last_tally_has_them_all(room, cast, person, said):
    host, _, speaker, listener = cast
    poll = polls.open_poll(caller(host), room.id, "Now?", ["Yes", "No"]).id
    asked = [questions.ask_question(caller(by), room.id, "Why?").id for by in (speaker, listener)]
    guests = [person(f"guest{n}") for n in range(4)]
    for guest in guests:
        enter_room(room, guest)
    said.clear()
    votes = [lambda g=g: polls.vote_poll(caller(g), room.id, poll, 1) for g in guests[:2]]
    votes += [lambda g=g, n=n: questions.vote_question(caller(g), room.id, asked[n]) for n, g in enumerate(guests[2:])]
    assert refusals(at_once(*votes)) == []
    whole = {"votes": {asked[0]: 1, asked[1]: 1}, "poll": {"id": poll, "counts": [0, 2]}}
    assert tally_of(room.id) == whole
    counted = [sum(tally["votes"].values()) + sum(tally["poll"]["counts"]) for _, tally in said]
    assert counted == [1, 2, 3, 4]
    assert said[-1][1] == whole


def test_messages_at_once_are_shown_in_the_order_of_their_numbers(room, cast):
    watch = Watch(Watcher(cast[3].id, None), f"conversation/{room.id}")
    results = at_once(*(lambda by=by, n=n: chat.post_message(caller(by), room.id, f"{n}") for n, by in enumerate(cast)))
    assert refusals(results) == []
    watch.check("four messages at once")
    numbers_are_gapless()


def test_one_persons_messages_at_once_meet_slow_mode(room, listener):
    Room.objects.update(slow_mode_secs=60)
    results = at_once(*[lambda: chat.post_message(caller(listener), room.id, "Hello")] * 3)
    assert refusals(results) == ["slow_mode", "slow_mode"]
    assert ChatMessage.objects.count() == 1


def test_deletions_at_once_delete_once(room, host, moderator, listener):
    message = chat.post_message(caller(listener), room.id, "Oops").id
    results = at_once(*(lambda by=by: chat.delete_message(caller(by), room.id, message) for by in (host, moderator, listener)))
    assert refusals(results) == ["not_found", "not_found"]
    assert StreamEvent.objects.filter(kind="message_deleted").count() == 1


@pytest.mark.parametrize("meanwhile", ["close_question", "post_message"])
def test_taking_a_question_while_its_author_is_at_it(room, cast, meanwhile):
    """Both need the author's place and the question: taken in one order, or they would wait for each other for ever."""
    host, _, _, listener = cast
    author = caller(listener)
    asked = [questions.ask_question(author, room.id, f"Question {n}?").id for n in range(3)]
    for question in asked:
        acts = {
            "close_question": lambda question=question: questions.close_question(author, room.id, question),
            "post_message": lambda: chat.post_message(author, room.id, "Me?"),
        }
        results = at_once(
            lambda question=question: questions.take_question(caller(host), room.id, question, TakenHow.INVITE),
            lambda question=question: questions.vote_question(author, room.id, question),
            acts[meanwhile],
            lambda: hands.raise_hand(author, room.id),
        )
        assert set(refusals(results)) <= {"already_taken", "not_found", "cannot_act_on_oneself", "hand_already_raised", "already_invited"}
        at_once(lambda: hands.lower_hand(author, room.id), lambda: invitations.decline_invitation(author, room.id))
    numbers_are_gapless()


def test_polls_and_questions_closed_while_votes_come(room, cast):
    """Votes take the tally and close what moderators hold: in one order."""
    host, moderator, speaker, listener = cast
    watch = Watch(Watcher(listener.id, None), f"conversation/{room.id}")
    for n in range(3):
        poll = polls.open_poll(caller(host), room.id, "Now?", ["Yes", "No"]).id
        asked = questions.ask_question(caller(listener), room.id, f"Question {n}?").id
        results = at_once(
            lambda poll=poll: polls.vote_poll(caller(speaker), room.id, poll, 0),
            lambda poll=poll: polls.close_poll(caller(moderator), room.id, poll),
            lambda asked=asked: questions.vote_question(caller(moderator), room.id, asked),
            lambda asked=asked: questions.close_question(caller(listener), room.id, asked),
        )
        assert set(refusals(results)) <= {"poll_closed", "not_found"}
        watch.check("a round of closing")
        assert all(sum(poll.counts) == poll.voters.count() for poll in Poll.objects.all())
    numbers_are_gapless()


def test_a_silence_comes_before_a_message_or_after_it(room, host, listener):
    results = at_once(
        lambda: silence_person(caller(host), room.id, listener.id), lambda: chat.post_message(caller(listener), room.id, "Hello")
    )
    assert refusals(results) in ([], ["silenced"])
    with pytest.raises(Silenced):
        chat.post_message(caller(listener), room.id, "Still here")


def test_the_end_of_the_room_comes_before_a_message_or_after_it(room, host, listener):
    results = at_once(lambda: end_room(caller(host), room.id), lambda: chat.post_message(caller(listener), room.id, "Hello"))
    assert refusals(results) in ([], ["room_ended"], ["not_in_room"])
    assert forget_conversations(timezone.now()) == 0
    numbers_are_gapless()
