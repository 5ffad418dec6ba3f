"""What watching a stream refuses."""

from django.utils.translation import gettext_lazy as _

from salon.common.errors import SalonError


class StreamNotFound(SalonError):
    """No such stream, or not for the one who asks."""

    code = "not_found"
    message = _("There is nothing to watch here, or it is not for you.")
