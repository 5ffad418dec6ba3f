from django.conf import settings
from django.db import models
from django.db.models import Q

from salon.common.ids import ID_LENGTH, new_id
from salon.conversation.enums import QuestionState
from salon.rooms.models import Room

TEXT_MAX = 300


class Question(models.Model):
    """What somebody in the room wants to know, and how many want it too."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="written_questions")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=TEXT_MAX)
    state = models.CharField(max_length=10, default=QuestionState.OPEN)
    votes = models.PositiveIntegerField(default=0)
    """How many QuestionVotes there are: counted with each, because it is asked far more often than a vote is given."""
    seq = models.BigIntegerField()
    """The number of the event that told it: the order of questions."""
    asked_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="question_number", fields=["room", "seq"]),
            models.CheckConstraint(name="question_state_known", condition=Q(state__in=[state.value for state in QuestionState])),
        )
        indexes = (models.Index(name="question_listed", fields=["room", "seq"], condition=~Q(state=QuestionState.CLOSED)),)

    def __str__(self) -> str:
        return f"{self.id} in {self.room_id}"


class QuestionVote(models.Model):
    """One person wants an answer to one question."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="question_votes")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(name="question_vote_once", fields=["question", "person"]),)

    def __str__(self) -> str:
        return f"{self.person_id} for {self.question_id}"
