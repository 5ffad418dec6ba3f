"""Opening a poll, voting in it, closing it."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from salon.accounts.callers import Caller
from salon.common.errors import Invalid
from salon.common.text import clean_line
from salon.conversation.actions.standing import Standing, as_moderator, for_oneself
from salon.conversation.domain import polls
from salon.conversation.domain.participant import require_present
from salon.conversation.errors import PollNotFound
from salon.conversation.events import conversation_stream, tell
from salon.conversation.models import Poll, PollVoter
from salon.conversation.models.poll import OPTION_MAX, OPTIONS_MAX, OPTIONS_MIN, QUESTION_MAX
from salon.conversation.shapes import poll_shape
from salon.conversation.tally import lock_tally, publish_tally
from salon.rooms.actions.acted import Acted
from salon.rooms.moderation import log_action
from salon.streams.events import newest_seq


def open_poll(caller: Caller, room_id: str, question: str, options: Sequence[str]) -> Acted:
    """Raises what the door and domain.polls.require_may_open raise, and Invalid naming the field."""
    cleaned = clean_line(question, QUESTION_MAX, field="question", required=True)
    choices = _cleaned_options(options)
    with as_moderator(caller, room_id) as (at, _locked):
        one_is_open = Poll.objects.filter(room=at.room, closed_at=None).exists()
        polls.require_may_open(at.terms, at.participant, one_is_open=one_is_open)
        poll = Poll(room=at.room, by=at.person, question=cleaned, options=choices, counts=[0] * len(choices), opened_at=at.now)
        entry = log_action(at.room, "open_poll", actor=at.person, data={"poll": poll.id}, at=at.now)
        lock_tally(at.room.id)
        poll.seq = tell(at.room.id, "poll_opened", {**poll_shape(poll)}, entry)
        poll.save(force_insert=True)
        publish_tally(at.room.id)
        return Acted(poll.seq, poll.id)


def vote_poll(caller: Caller, room_id: str, poll_id: str, option: int) -> int:
    """option: index of the poll's options. What somebody chose is added to the counts and written nowhere else.

    Returns the number of the conversation's stream. Raises what the door and domain.polls.require_may_vote raise, PollNotFound, Invalid.
    """
    with for_oneself(caller, room_id) as at:
        poll = _locked_poll(at, poll_id)
        has_voted = PollVoter.objects.filter(poll=poll, person=at.person).exists()
        polls.require_may_vote(at.terms, at.participant, is_open=poll.is_open, has_voted=has_voted)
        if not 0 <= option < len(poll.options):
            raise Invalid(field="option")
        PollVoter.objects.create(poll=poll, person=at.person)
        poll.counts = polls.counted(poll.counts, option)
        poll.save(update_fields=["counts"])
        publish_tally(at.room.id)
        return newest_seq(conversation_stream(at.room.id))


def close_poll(caller: Caller, room_id: str, poll_id: str) -> int:
    """Returns the number of the conversation's stream. Raises what the door and domain.polls.require_may_close raise, PollNotFound."""
    with as_moderator(caller, room_id) as (at, _locked):
        poll = _locked_poll(at, poll_id)
        polls.require_may_close(at.terms, at.participant, is_open=poll.is_open)
        poll.closed_at = at.now
        poll.save(update_fields=["closed_at"])
        publish_tally(at.room.id)
        entry = log_action(at.room, "close_poll", actor=at.person, data={"poll": poll.id}, at=at.now)
        return tell(at.room.id, "poll_closed", {**poll_shape(poll)}, entry)


def _locked_poll(at: Standing, poll_id: str) -> Poll:
    """Nobody else votes in it or closes it until the transaction ends. Raises RoomEnded, NotInRoom, PollNotFound."""
    require_present(at.terms, at.participant)
    poll = Poll.objects.select_for_update(of=("self",), no_key=True).filter(id=poll_id, room=at.room).first()
    if poll is None:
        raise PollNotFound(field="poll")
    return poll


def _cleaned_options(options: Sequence[str]) -> list[str]:
    """Raises Invalid."""
    if not OPTIONS_MIN <= len(options) <= OPTIONS_MAX:
        raise Invalid(field="options", message=_("A poll has two to four answers."))
    cleaned = [clean_line(option, OPTION_MAX, field="options", required=True) for option in options]
    if not polls.are_distinct(cleaned):
        raise Invalid(field="options", message=_("Two of the answers are the same."))
    return cleaned
