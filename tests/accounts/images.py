"""Images for tests, honest and hostile."""

import struct
import zlib
from io import BytesIO

from PIL import Image


def image_bytes(kind: str = "PNG", size: tuple[int, int] = (640, 400), mode: str = "RGB", **options: object) -> bytes:
    output = BytesIO()
    Image.new(mode, size, 0x3366CC if mode == "RGB" else 0).save(output, kind, **options)
    return output.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """A valid PNG header that promises `width` × `height` pixels over a few bytes of data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
