from django.db import models
from django.db.models import Q

from salon.common.ids import ID_LENGTH, new_id

from .person import Person, skeleton_column


class Waiting(models.Model):
    """Somebody on the waiting list: an address that holds a handle. The row goes when they sign up."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    handle = models.CharField(max_length=24, unique=True)
    handle_skeleton = skeleton_column()
    since = models.DateTimeField(auto_now_add=True)
    admitted_at = models.DateTimeField(null=True, blank=True, editable=False)
    admitted_by = models.ForeignKey(Person, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="admitted")

    class Meta:
        verbose_name = verbose_name_plural = "waiting list"
        constraints = (
            models.CheckConstraint(condition=Q(handle__regex=r"^[a-z0-9_]{3,24}$"), name="waiting_handle_well_formed"),
            models.UniqueConstraint(fields=["handle_skeleton"], name="waiting_handle_no_look_alike"),
        )

    def __str__(self) -> str:
        return f"@{self.handle}"
