from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Replace

from salon.common.ids import ID_LENGTH, new_id


def skeleton_column() -> models.GeneratedField:
    """`salon.accounts.domain.handles.skeleton` in SQL; a test holds the two together."""
    look_alikes = Func("handle", Value("01i_"), Value("oll"), function="translate", output_field=models.CharField())
    return models.GeneratedField(
        expression=Replace(Replace(look_alikes, Value("rn"), Value("m")), Value("vv"), Value("w")),
        output_field=models.CharField(max_length=24),
        db_persist=True,
    )


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, handle: str, email: str | None = None, password: str | None = None, **fields: object) -> "Person":
        person = self.model(handle=handle, email=self.normalize_email(email) if email else None, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, handle: str, email: str | None = None, password: str | None = None, **fields: object) -> "Person":
        return self.create_user(handle, email, password, is_staff=True, is_superuser=True, **fields)


def starting_allowance() -> int:
    return settings.INVITATIONS_TO_START_WITH


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody with an account. Everything about how they sign in is django-allauth's."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    handle = models.CharField(max_length=24, unique=True)
    handle_skeleton = skeleton_column()
    name = models.CharField(max_length=60, blank=True)
    bio = models.CharField(max_length=1000, blank=True)
    languages = models.JSONField(default=list, blank=True)
    email = models.EmailField(null=True, blank=True, unique=True)
    phone = models.CharField(max_length=16, null=True, blank=True, unique=True)
    """E.164, verified; codes may go there too."""
    picture = models.ImageField(upload_to="pictures/", blank=True)
    inviter = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="invited")
    invitation = models.ForeignKey("Invitation", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="spent_by")
    invitation_allowance = models.PositiveSmallIntegerField(default=starting_allowance)
    """How many people they may invite in all; see queries.invitations_left."""
    is_pending = models.BooleanField(default=False, editable=False)
    """Signed up, but the code has not been typed yet: nobody sees them, and the handle is held for a while only."""
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = PersonManager()

    class Meta:
        verbose_name_plural = "people"
        constraints = (
            models.CheckConstraint(condition=Q(handle__regex=r"^[a-z0-9_]{3,24}$"), name="person_handle_well_formed"),
            models.UniqueConstraint(fields=["handle_skeleton"], name="person_handle_no_look_alike"),
        )
        indexes = (models.Index(fields=["joined_at"], condition=Q(is_pending=True), name="person_pending"),)

    def __str__(self) -> str:
        return f"@{self.handle}"
