"""One WebSocket's protocol, without a socket and without a clock: frames and times in, messages and refusals out.

    GREETING ──hello accepted──► OPEN
        └──────any refusal─────────┴──► the caller closes with the code of `Refused`

In GREETING only `hello` is taken, and only for `HELLO_SECS`. In OPEN the peer must say something, a ping at least, every
`SILENCE_SECS`. A frame that is not a message of this protocol ends the connection; a message with a field at fault is answered.
"""

import json
from typing import Any, NoReturn

from salon.gateway import limits
from salon.gateway.close_codes import CloseCode
from salon.gateway.messages import MESSAGES, Message
from salon.gateway.messages.fields import FieldInvalid, Fields, Number
from salon.gateway.messages.hello import Hello
from salon.gateway.rate import TokenBucket


class Refused(Exception):
    """The peer broke the protocol: close with `code`."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name.lower())
        self.code = code


class MessageInvalid(Exception):
    """A message with a field at fault, its type included: answer, and go on."""

    def __init__(self, reply_to: Number, field: str) -> None:
        super().__init__(field)
        self.reply_to = reply_to
        self.field = field


class Connection:
    def __init__(self, *, now: float) -> None:
        """now: monotonic seconds, here and below."""
        self._greeted = False
        self._deadline = now + limits.HELLO_SECS
        self._bucket = TokenBucket(per_sec=limits.MESSAGES_PER_SEC, burst=limits.MESSAGES_BURST, now=now)

    def receive_text(self, text: str, *, now: float) -> Message:
        """Raises Refused, MessageInvalid."""
        if not self._bucket.take(now):
            raise Refused(CloseCode.TOO_MANY_MESSAGES)
        # A character is at least a byte; only a text that may be too long is encoded to measure it.
        if len(text) > limits.FRAME_BYTES or (len(text) * 4 > limits.FRAME_BYTES and len(text.encode()) > limits.FRAME_BYTES):
            raise Refused(CloseCode.TOO_LARGE)
        if self._greeted:
            self._deadline = now + limits.SILENCE_SECS
        try:
            message = _parsed(text)
        except MessageInvalid as error:
            if self._greeted:
                raise
            raise Refused(CloseCode.BAD_FRAME) from error
        if isinstance(message, Hello) is self._greeted:  # a second hello, or anything before the first
            raise Refused(CloseCode.BAD_FRAME)
        return message

    def receive_binary(self) -> NoReturn:
        """Raises Refused, always: the protocol has text frames only."""
        raise Refused(CloseCode.BAD_FRAME)

    def greeted(self, *, now: float) -> None:
        """The hello's ticket was accepted."""
        self._greeted = True
        self._deadline = now + limits.SILENCE_SECS

    def check_deadline(self, *, now: float) -> None:
        """Raises Refused when the peer has been silent too long."""
        if now > self._deadline:
            raise Refused(CloseCode.SILENT)


def _parsed(text: str) -> Message:
    fields = Fields(_json_object(text))
    try:
        reply_to = fields.number("id")
        kind = MESSAGES.get(fields.text("type"))
    except FieldInvalid as error:
        raise Refused(CloseCode.BAD_FRAME) from error
    if kind is None:
        raise MessageInvalid(reply_to, "type")
    try:
        return kind.parse(fields)
    except FieldInvalid as error:
        raise MessageInvalid(reply_to, error.field) from error


def _json_object(text: str) -> dict[str, Any]:
    try:
        # JSON has no NaN and no Infinity (RFC 8259 section 6), though Python's reader does.
        value = json.loads(text, parse_constant=_refuse_constant)
        if "\\" in text:
            # Escapes can bring half surrogates (RFC 8259 section 8.2), which nothing behind can write.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Refused(CloseCode.BAD_FRAME) from error
    if not isinstance(value, dict):
        raise Refused(CloseCode.BAD_FRAME)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
