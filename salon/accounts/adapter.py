"""Where django-allauth meets Salon: who is saved, what is sent, and what a passkey is for."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.forms import BaseForm
from django.http import HttpRequest

from salon.accounts.actions.sign_up import SignUp, sign_up
from salon.accounts.channels import messages
from salon.accounts.models import Person
from salon.common.errors import TooManyRequests
from salon.config.environment import environment


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def save_user(self, request: HttpRequest, user: Person, form: BaseForm, commit: bool = True) -> Person:
        asked = form.cleaned_data
        user.set_unusable_password()
        # What a quicker newcomer took meanwhile is refused here with a SalonError; the form looked without locks.
        sign_up(
            user,
            SignUp(
                email=asked["email"],
                handle=asked["handle"],
                name=asked["name"],
                languages=asked["languages"],
                invitation=asked["invitation"] or None,
            ),
        )
        return user

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        messages.send_mail(template_prefix.rpartition("/")[2], email, context)

    def send_account_already_exists_mail(self, email: str) -> None:
        messages.send_mail("account_already_exists", email, {"sign_in_url": f"{environment().public_url}/sign-in"})

    def can_delete_email(self, email_address: EmailAddress) -> bool:
        # allauth would let the last one go where a phone number is another way in, though this person may have none.
        return not email_address.primary

    def validation_error(self, code: str, *args: object) -> Exception:
        # A rate limit is no fault of a field: it leaves as 429 like every other one.
        if code in ("rate_limited", "too_many_login_attempts"):
            raise TooManyRequests(retry_after_secs=60)
        error: Exception = super().validation_error(code, *args)
        return error

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Nothing: the client shows its own sentences, and stored ones would surface on the operator's pages."""

    def send_verification_code_sms(self, user: Person, phone: str, code: str, **kwargs: object) -> None:
        messages.send_code_sms(phone, code)

    # allauth keeps a number only after its code was typed, so one that is stored is verified.

    def set_phone(self, user: Person, phone: str, verified: bool) -> None:
        if verified:
            user.phone = phone
            user.save(update_fields=["phone"])

    def set_phone_verified(self, user: Person, phone: str) -> None:
        self.set_phone(user, phone, True)

    def get_phone(self, user: Person) -> tuple[str, bool] | None:
        return (user.phone, True) if user.phone else None

    def get_user_by_phone(self, phone: str) -> Person | None:
        return Person.objects.filter(phone=phone).first()


class PasskeyAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Passkeys are a way to sign in, not a second step after the code: who lost the device still gets in by e-mail."""

    def is_mfa_enabled(self, user: Person, types: list[str] | None = None) -> bool:
        wanted = set(types if types is not None else Authenticator.Type.values) - {Authenticator.Type.WEBAUTHN}
        return bool(super().is_mfa_enabled(user, types=sorted(wanted)))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        # From the configuration, not from the request's Host header, which the sender chooses.
        return {"id": urlsplit(environment().public_url).hostname or "localhost", "name": "Salon"}

    def get_public_key_credential_user_entity(self, user: Person) -> dict[str, Any]:
        return {"id": user.id.encode(), "name": user.handle, "display_name": user.name or user.handle}
