"""What watching a stream refuses."""

from django.utils.translation import gettext_lazy as _

from salon.common.errors import NotFound


class StreamNotFound(NotFound):
    """No such stream, or not for the one who asks."""

    message = _("There is nothing to watch here, or it is not for you.")
