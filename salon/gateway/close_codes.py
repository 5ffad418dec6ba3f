from enum import IntEnum


class CloseCode(IntEnum):
    """docs/protocol.md section 6."""

    BAD_FRAME = 4400
    TICKET_REFUSED = 4401
    SILENT = 4408
    TOO_LARGE = 4413
    TOO_MANY_MESSAGES = 4429
    STOPPING = 4503
    SLOW_READER = 4508
