"""What one socket, one person and one request may take; docs/protocol.md section 9 promises these figures."""

FRAME_BYTES = 64 * 1024
HELLO_SECS = 10.0
HEARTBEAT_SECS = 20
SILENCE_SECS = 2.0 * HEARTBEAT_SECS

MESSAGES_PER_SEC = 50.0
MESSAGES_BURST = 100.0
INBOX_MESSAGES = 128
"""Accepted but not yet answered, because web is slow: above the burst, so that only a flood fills it."""

SOCKETS_PER_PERSON = 8
WATCHES_PER_SOCKET = 64

UNSENT_BYTES = 512 * 1024
"""What may wait for a client that does not read, beside the one frame that went over it: about a thousand events."""
CUT_GRACE_SECS = 5.0
"""How long a cut client has to read what was already on its way, the close code included."""

BODY_BYTES = 256 * 1024
PICTURE_BYTES = 8 * 1024 * 1024
PICTURES_AT_ONCE = 32
"""Being received: 256 MiB of memory at most."""
BODY_SECS = 30.0
"""A picture of 8 MiB at 2.2 Mbit/s; whoever is slower does not hold memory any longer."""
