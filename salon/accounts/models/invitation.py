from django.db import models
from django.db.models import F, Q

from salon.common.ids import ID_LENGTH, new_id

from .person import Person


class Invitation(models.Model):
    """A link that lets new people sign up. Its id is the code in the link."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    inviter = models.ForeignKey(Person, null=True, blank=True, on_delete=models.CASCADE, related_name="invitations")
    """None: the operator."""
    email = models.EmailField(null=True, blank=True)
    """Only this address may spend it, where set."""
    uses_allowed = models.PositiveSmallIntegerField(default=1)
    uses = models.PositiveSmallIntegerField(default=0, editable=False)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(uses_allowed__gte=1), name="invitation_allows_a_use"),
            models.CheckConstraint(condition=Q(uses__lte=F("uses_allowed")), name="invitation_not_overspent"),
        )

    def __str__(self) -> str:
        return f"{self.uses} of {self.uses_allowed} used"

    @property
    def uses_left(self) -> int:
        return self.uses_allowed - self.uses
