"""libopus, as far as a sender and a receiver of speech need it."""

import ctypes
import ctypes.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000
FRAME = RATE_HZ // 50
"""Samples in 20 ms."""
BITRATE = 32_000
"""What browsers send mono speech with."""

# opus_defines.h
_APPLICATION_VOIP = 2048
_SET_BITRATE = 4002
_SET_INBAND_FEC = 4012
_SET_PACKET_LOSS_PERC = 4014

Samples = NDArray[np.int16]


def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("opus")
    if name is None:
        raise RuntimeError("libopus is missing: install the package libopus0")
    library = ctypes.CDLL(name)
    library.opus_encoder_create.restype = ctypes.c_void_p
    library.opus_decoder_create.restype = ctypes.c_void_p
    return library


class Encoder:
    """Mono speech, 20 ms a frame.

    loss_percent: what receiver reports tell; in-band FEC (RFC 6716 section 2.1.7) is on if it is not 0.
    """

    def __init__(self, loss_percent: int) -> None:
        self._library = _library()
        error = ctypes.c_int()
        self._state = ctypes.c_void_p(self._library.opus_encoder_create(RATE_HZ, 1, _APPLICATION_VOIP, ctypes.byref(error)))
        for request, value in ((_SET_BITRATE, BITRATE), (_SET_INBAND_FEC, int(loss_percent > 0)), (_SET_PACKET_LOSS_PERC, loss_percent)):
            self._library.opus_encoder_ctl(self._state, ctypes.c_int(request), ctypes.c_int(value))

    def encode(self, frame: Samples) -> bytes:
        packet = ctypes.create_string_buffer(1_275)
        length = self._library.opus_encode(self._state, frame.tobytes(), FRAME, packet, len(packet))
        if length < 0:
            raise ValueError(f"libopus: error {length}")
        return packet.raw[:length]

    def __del__(self) -> None:
        self._library.opus_encoder_destroy(self._state)


class Decoder:
    """Its state goes on from frame to frame, so each frame is decoded, recovered or concealed once."""

    def __init__(self) -> None:
        self._library = _library()
        error = ctypes.c_int()
        self._state = ctypes.c_void_p(self._library.opus_decoder_create(RATE_HZ, 1, ctypes.byref(error)))

    def decode(self, packet: bytes) -> Samples:
        return self._decode(packet, from_next=False)

    def recover(self, next_packet: bytes) -> Samples:
        """The frame before `next_packet`, from its in-band FEC if it has any, else concealed."""
        return self._decode(next_packet, from_next=True)

    def conceal(self) -> Samples:
        return self._decode(None, from_next=False)

    def _decode(self, packet: bytes | None, *, from_next: bool) -> Samples:
        samples = (ctypes.c_int16 * FRAME)()
        count = self._library.opus_decode(self._state, packet, len(packet or b""), samples, FRAME, int(from_next))
        if count != FRAME:
            raise ValueError(f"libopus: {count} in place of {FRAME} samples")
        return np.frombuffer(samples, dtype=np.int16).copy()

    def __del__(self) -> None:
        self._library.opus_decoder_destroy(self._state)


def ogg_packets(path: Path) -> list[bytes]:
    """The packets of a file with one stream (RFC 3533), header packets included."""
    data, packets, rest = path.read_bytes(), [], b""
    at = 0
    while at < len(data):
        count = data[at + 26]
        laces = data[at + 27 : at + 27 + count]
        at += 27 + count
        for lace in laces:
            rest += data[at : at + lace]
            at += lace
            if lace < 255:
                packets.append(rest)
                rest = b""
    return packets


def speech(path: Path) -> Samples:
    """A recording of Opus frames of 20 ms, mono (RFC 7845: two header packets come first)."""
    decoder = Decoder()
    return np.concatenate([decoder.decode(packet) for packet in ogg_packets(path)[2:]])
