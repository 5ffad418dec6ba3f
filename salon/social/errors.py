"""What following and blocking refuse, each with a stable code."""

from django.utils.translation import gettext_lazy as _

from salon.common.errors import SalonError


class SocialError(SalonError):
    """Root of this app's refusals."""


class CannotActOnOneself(SocialError):
    code = "cannot_act_on_oneself"
    message = _("You cannot do that to yourself.")


class UnblockFirst(SocialError):
    """Following somebody whom one has blocked: one of the two is not meant."""

    code = "unblock_first"
    message = _("You have blocked this person. Unblock them first.")


class NotShielded(SocialError):
    """There is no mark to contest."""

    code = "not_shielded"
    message = _("Nothing marks your profile now, so there is nothing to contest.")
