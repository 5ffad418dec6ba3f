"""Which channel serves whom on this installation. No Django at import: the settings ask `sms_entry_point` too."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from salon.accounts.channels.interface import Channel
from salon.config.environment import environment


def sms_entry_point() -> EntryPoint | None:
    return next(iter(entry_points(group="salon.channels", name="sms")), None)


def has_sms() -> bool:
    return environment().is_development or sms_entry_point() is not None


@cache
def email_channel() -> Channel:
    if environment().is_development:
        return _development("email")
    from salon.accounts.channels.smtp import SmtpChannel  # noqa: PLC0415  (see the module's docstring)

    return SmtpChannel()


@cache
def sms_channel() -> Channel:
    """Raises LookupError where no SMS channel is installed; nobody has a phone number there."""
    if environment().is_development:
        return _development("sms")
    registered = sms_entry_point()
    if registered is None:
        raise LookupError("No SMS channel is installed.")
    channel: Channel = registered.load()()
    return channel


def _development(name: str) -> Channel:
    from salon.accounts.channels.development import DevelopmentMailbox  # noqa: PLC0415  (see the module's docstring)

    return DevelopmentMailbox(name)
