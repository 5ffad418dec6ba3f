"""What Salon does at allauth's and Django's news."""

from allauth.account.signals import email_confirmed
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver

from salon.accounts.actions.cut import cut
from salon.accounts.actions.sign_up import confirm
from salon.accounts.models import Person


@receiver(email_confirmed)
def confirm_owner(sender: object, email_address: object, **kwargs: object) -> None:
    confirm(email_address.user)  # type: ignore[attr-defined]


@receiver(user_logged_in)
def confirm_whoever_got_in(sender: object, user: Person, **kwargs: object) -> None:
    confirm(user)


@receiver(user_logged_out)
def cut_whoever_left(sender: object, user: Person | None, **kwargs: object) -> None:
    if user is not None:
        cut(user)
