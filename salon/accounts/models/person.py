from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

from salon.common.ids import ID_LENGTH, new_id


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, handle: str, email: str | None = None, password: str | None = None, **fields: object) -> "Person":
        person = self.model(handle=handle, email=self.normalize_email(email) if email else None, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, handle: str, email: str | None = None, password: str | None = None, **fields: object) -> "Person":
        return self.create_user(handle, email, password, is_staff=True, is_superuser=True, **fields)


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody with an account. Everything about how they sign in is django-allauth's."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    handle = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=60, blank=True)
    bio = models.CharField(max_length=1000, blank=True)
    languages = models.JSONField(default=list)
    email = models.EmailField(null=True, blank=True, unique=True)
    picture = models.ImageField(upload_to="pictures/", blank=True)
    inviter = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="invited")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []
    objects = PersonManager()

    def __str__(self) -> str:
        return f"@{self.handle}"
