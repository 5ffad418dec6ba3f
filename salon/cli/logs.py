"""How the processes without Django write their log: as Django's do, a line for each record, on standard error."""

import logging

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class LineFormatter(logging.Formatter):
    """Ends a line with what the record carries in `extra`: `… action=room_ended room=…`."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{name}={value}" for name, value in vars(record).items() if name not in _STANDARD)
        line = super().formatMessage(record)
        return f"{line} {extra}" if extra else line


def _is_our_fault(record: logging.LogRecord) -> bool:
    """What a peer sends that is no HTTP is answered with 400, and is no error of this server."""
    error = record.exc_info[1] if record.exc_info else None
    return type(error).__module__ != "aiohttp.http_exceptions"


def write_log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(_FORMAT))
    logging.getLogger("aiohttp.server").addFilter(_is_our_fault)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
