from django.conf import settings
from django.db import models
from django.db.models import Q

from salon.social.enums import ContestState

TEXT_MAX = 1_000


class ShieldContest(models.Model):
    """Somebody asks staff to lift the mark that blocks put on their profile. Accepted, the blocks up to then mark it no longer."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=TEXT_MAX)
    at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, default=ContestState.OPEN.value)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(name="shield_contest_state_known", condition=Q(state__in=[state.value for state in ContestState])),
            models.UniqueConstraint(name="shield_contest_one_open", fields=["person"], condition=Q(state=ContestState.OPEN.value)),
            models.CheckConstraint(
                name="shield_contest_open_or_decided",
                condition=Q(state=ContestState.OPEN.value, decided_at=None)
                | (~Q(state=ContestState.OPEN.value) & Q(decided_at__isnull=False)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.person_id} {self.state}"
