"""What Salon asks of a newcomer beside the e-mail address. allauth's headless sign-up reads these fields from its JSON body."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from salon.accounts.actions.handles import check_handle
from salon.accounts.actions.profile import NAME_LENGTH, clean_languages
from salon.accounts.actions.sign_up import check_sign_up, discard_abandoned
from salon.accounts.errors import HandleTaken
from salon.accounts.models import Person
from salon.accounts.queries import is_handle_free
from salon.common.errors import SalonError
from salon.common.text import clean_line


@contextmanager
def refusals_as_form_errors() -> Iterator[None]:
    """Our refusals raised inside become the form's, with their codes."""
    try:
        yield
    except SalonError as error:
        raise ValidationError(str(error.sentence), code=error.code) from error


class LanguagesField(forms.Field):
    """A JSON list of language tags."""

    widget = forms.TextInput

    def to_python(self, value: object) -> list[str]:
        if value in (None, ""):
            return []
        if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
            raise ValidationError(_("Give a list of language codes."), code="invalid")
        return value


class SignUpForm(forms.Form):
    """Refusals carry the codes of docs/protocol.md section 8 and name their field."""

    handle = forms.CharField(max_length=100)
    name = forms.CharField(max_length=500, required=False)
    languages = LanguagesField(required=False)
    invitation = forms.CharField(max_length=100, required=False)

    def clean_handle(self) -> str:
        with refusals_as_form_errors():
            return check_handle(self.cleaned_data["handle"])

    def clean_name(self) -> str:
        with refusals_as_form_errors():
            return clean_line(self.cleaned_data["name"], NAME_LENGTH, field="name")

    def clean_languages(self) -> list[str]:
        with refusals_as_form_errors():
            return clean_languages(self.cleaned_data["languages"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        discard_abandoned(timezone.now())
        email, handle = cleaned.get("email"), cleaned.get("handle")
        # allauth found an account with this address. If its code was never typed, it is nobody's: sign_up puts the new one in its place.
        if email and Person.objects.filter(email=email, is_pending=True).exists():
            self.account_already_exists = False
        for field, check in (("invitation", self._check_policy), ("handle", self._check_handle_is_free)):
            if email and handle:
                try:
                    check()
                except SalonError as error:
                    self.add_error(field, ValidationError(str(error.sentence), code=error.code))
        return cleaned

    def _check_policy(self) -> None:
        check_sign_up(self.cleaned_data["email"], self.cleaned_data.get("invitation"))

    def _check_handle_is_free(self) -> None:
        # Who begins again after losing the first code finds their own handle taken by themselves.
        mine = Person.objects.filter(email=self.cleaned_data["email"], is_pending=True).first()
        if not is_handle_free(self.cleaned_data["handle"], email=self.cleaned_data["email"], person=mine):
            raise HandleTaken(field="handle")

    def signup(self, request: HttpRequest, user: Person) -> None:
        """allauth asks for this method; AccountAdapter.save_user has done everything already."""
