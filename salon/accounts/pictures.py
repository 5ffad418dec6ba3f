"""Profile pictures: whatever image comes in, a small WebP without metadata goes out."""

from io import BytesIO

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from salon.common.errors import Invalid

SIDE_PIXELS = 512
# What browsers and phones make. Pillow's other decoders are rarely used and so rarely attacked by honest people.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
# A phone's 50-megapixel photograph passes: JPEG is decoded at a fraction of its size (`draft`). Other formats are decoded
# whole, 4 bytes a pixel, so their limit is what one request may take of memory: 100 MiB.
_MOST_PIXELS_JPEG = 120_000_000
_MOST_PIXELS = 25_000_000
# Behind a transparent image, whatever the theme of who looks.
_BACKGROUND = (255, 255, 255)


def normalise(data: bytes) -> bytes:
    """A WebP of 512×512 pixels: turned as its camera said, cropped around the centre, first frame, no EXIF, no colour profile.

    Raises Invalid (field `picture`) for what is no image of the four formats, damaged, or too many pixels. The number of pixels is
    read from the header before anything is decoded, so a decompression bomb costs nothing.
    """
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            _refuse_bomb(image)
            image.draft("RGB", (2 * SIDE_PIXELS, 2 * SIDE_PIXELS))
            return _encoded(ImageOps.exif_transpose(image))
    except Invalid:
        raise
    # Pillow's decoders raise nearly anything on hostile input: OSError, SyntaxError, ValueError, struct.error, DecompressionBombError…
    except Exception as error:
        raise Invalid(field="picture", message=_("This file is not an image that can be read. Use JPEG, PNG, WebP or GIF.")) from error


def _refuse_bomb(image: Image.Image) -> None:
    width, height = image.size
    if width * height > (_MOST_PIXELS_JPEG if image.format == "JPEG" else _MOST_PIXELS):
        raise Invalid(field="picture", message=_("This image has too many pixels. Make it smaller first."))


def _encoded(image: Image.Image) -> bytes:
    square = ImageOps.fit(image.convert("RGBA"), (SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.LANCZOS)
    # A new image, because the old one's `info` still carries EXIF, XMP and colour profile, which Pillow would write again.
    flat = Image.new("RGB", square.size, _BACKGROUND)
    flat.paste(square, mask=square.getchannel("A"))
    output = BytesIO()
    flat.save(output, "WEBP", quality=82, method=4)
    return output.getvalue()
