"""The operator's pages under /staff/."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from salon.accounts.actions.cut import deactivate, reactivate
from salon.accounts.actions.handles import check_handle
from salon.accounts.actions.profile import BIO_LENGTH, NAME_LENGTH, remove_picture
from salon.accounts.actions.waiting_list import admit
from salon.accounts.callers import person_of
from salon.accounts.errors import HandleTaken
from salon.accounts.forms import refusals_as_form_errors
from salon.accounts.models import AccessToken, Invitation, Person, Waiting
from salon.accounts.queries import is_handle_free
from salon.common.text import clean_line, clean_text


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """The same rules for staff as for the person themselves."""

    bio = forms.CharField(widget=forms.Textarea, required=False)

    def clean_handle(self) -> str:
        with refusals_as_form_errors():
            handle = check_handle(self.cleaned_data["handle"])
            if not is_handle_free(handle, email=self.instance.email, person=self.instance):
                raise HandleTaken
            return handle

    def clean_name(self) -> str:
        with refusals_as_form_errors():
            return clean_line(self.cleaned_data["name"], NAME_LENGTH, field="name")

    def clean_bio(self) -> str:
        with refusals_as_form_errors():
            return clean_text(self.cleaned_data["bio"], BIO_LENGTH, field="bio")


@admin.register(Person)
class PersonAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("handle", "name", "email", "inviter", "joined_at", "is_active", "is_pending", "is_staff")
    form = PersonForm
    list_filter = ("is_active", "is_pending", "is_staff", "joined_at")
    search_fields = ("handle", "name", "email", "id")
    ordering = ("-joined_at",)
    readonly_fields = ("id", "languages", "picture", "email", "phone", "inviter", "is_pending", "is_active", "joined_at", "last_login")
    fields = (
        "id", "handle", "name", "bio", "languages", "picture", "email", "phone", "inviter", "invitation_allowance",
        "is_active", "is_pending", "is_staff", "is_superuser", "groups", "joined_at", "last_login",
    )  # fmt: skip
    filter_horizontal = ("groups",)
    actions = ("deactivate_people", "reactivate_people", "remove_pictures")

    def get_readonly_fields(self, request: HttpRequest, obj: Person | None = None) -> tuple[str, ...]:
        # Who may edit people may not thereby give themselves every right.
        rights = () if request.user.is_superuser else ("is_staff", "is_superuser", "groups")
        return (*self.readonly_fields, *rights)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people sign themselves up; an account made here would have no way in

    def has_delete_permission(self, request: HttpRequest, obj: Person | None = None) -> bool:
        return False  # deactivating keeps what others said and did with them

    @admin.action(permissions=["change"], description="Deactivate: sign out everywhere, at once")
    def deactivate_people(self, request: HttpRequest, people: QuerySet[Person]) -> None:
        for person in people:
            deactivate(person)

    @admin.action(permissions=["change"], description="Reactivate")
    def reactivate_people(self, request: HttpRequest, people: QuerySet[Person]) -> None:
        for person in people:
            reactivate(person)

    @admin.action(permissions=["change"], description="Remove the picture")
    def remove_pictures(self, request: HttpRequest, people: QuerySet[Person]) -> None:
        for person in people:
            remove_picture(person)


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("id", "inviter", "email", "uses_allowed", "uses", "created_at", "expires_at")
    list_filter = ("expires_at",)
    search_fields = ("id", "inviter__handle", "email")
    ordering = ("-created_at",)
    readonly_fields = ("id", "inviter", "uses", "created_at")
    fields = ("id", "inviter", "email", "uses_allowed", "uses", "expires_at", "created_at")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"expires_at": timezone.now() + timedelta(days=14)}


@admin.register(Waiting)
class WaitingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("handle", "email", "since", "admitted_at", "admitted_by")
    list_filter = (("admitted_at", admin.EmptyFieldListFilter), "since")
    search_fields = ("handle", "email")
    ordering = ("since",)
    readonly_fields = ("since", "admitted_at", "admitted_by")
    actions = ("admit_waiting",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Waiting | None = None) -> bool:
        # Needed for actions and the list; a single entry is only looked at.
        return obj is None and super().has_change_permission(request)

    @admin.action(permissions=["change"], description="Admit: they may sign up, and are told by mail")
    def admit_waiting(self, request: HttpRequest, waiting: QuerySet[Waiting]) -> None:
        for entry in waiting:
            admit(entry, person_of(request))


@admin.register(AccessToken)
class AccessTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("name", "person", "created_at", "last_used_on")
    search_fields = ("person__handle", "name")
    ordering = ("-created_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AccessToken | None = None) -> bool:
        return False
