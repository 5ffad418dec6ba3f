"""What the gateway writes: JSON messages, and the WebSocket frames around them."""

import json
from collections.abc import Mapping
from typing import Any


def json_bytes(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def text_frame(payload: bytes) -> bytes:
    """One unfragmented, unmasked, uncompressed text frame (RFC 6455 section 5.2), ready for any number of transports."""
    length = len(payload)
    if length < 126:
        header = bytes((0x81, length))
    elif length < 65536:
        header = b"\x81\x7e" + length.to_bytes(2, "big")
    else:
        header = b"\x81\x7f" + length.to_bytes(8, "big")
    return header + payload


def frame(message: Mapping[str, Any]) -> bytes:
    return text_frame(json_bytes(message))
