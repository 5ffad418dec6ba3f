from io import BytesIO

import pytest
from PIL import Image

from salon.accounts.pictures import normalise
from salon.common.errors import Invalid
from tests.accounts.images import image_bytes, png_bomb


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_accepted_format_becomes_a_square_webp(kind):
    result = opened(normalise(image_bytes(kind)))
    assert (result.format, result.size, result.mode) == ("WEBP", (512, 512), "RGB")


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (4000, 10)])
def test_odd_sizes_become_the_same_square(size):
    assert opened(normalise(image_bytes(size=size))).size == (512, 512)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_every_pixel_mode_is_read(mode):
    assert opened(normalise(image_bytes(mode=mode))).mode == "RGB"


def test_metadata_is_gone():
    exif = Image.Exif()
    exif[0x010F] = "Secret camera"
    exif.get_ifd(0x8825)[1] = "N"
    source = image_bytes("JPEG", exif=exif, icc_profile=b"profile" * 20, comment=b"private")
    assert b"Secret camera" in source
    result = opened(normalise(source))
    assert not dict(result.getexif())
    assert {"exif", "icc_profile", "xmp", "comment"} & result.info.keys() == set()


def test_picture_is_turned_as_the_camera_said():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90° clockwise
    upright = Image.new("RGB", (400, 400), "red")
    upright.paste("blue", (0, 0, 200, 400))
    output = BytesIO()
    upright.save(output, "JPEG", exif=exif, quality=95)
    result = opened(normalise(output.getvalue()))
    top, bottom = result.getpixel((256, 50)), result.getpixel((256, 460))
    assert (top[0] < 60, top[2] > 200) == (True, True), "blue was left of the centre and comes to the top"
    assert (bottom[0] > 200, bottom[2] < 60) == (True, True)


def test_transparency_becomes_white():
    assert opened(normalise(image_bytes(mode="RGBA"))).getpixel((0, 0)) == (255, 255, 255)


def test_animation_becomes_its_first_frame():
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    output = BytesIO()
    frames[0].save(output, "GIF", save_all=True, append_images=frames[1:])
    result = opened(normalise(output.getvalue()))
    assert getattr(result, "n_frames", 1) == 1
    assert result.getpixel((9, 9))[0] > 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0" + bytes(50),
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        image_bytes()[:200],
        image_bytes("JPEG")[:300],
        image_bytes("BMP"),
        image_bytes("TIFF"),
        image_bytes("ICO"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
    ],
    ids=lambda data: repr(data[:12]),
)
def test_no_image_or_a_damaged_one_is_refused_by_name(data):
    with pytest.raises(Invalid) as refused:
        normalise(data)
    assert refused.value.field == "picture"


@pytest.mark.parametrize("size", [(5001, 5000), (50_000, 50_000), (2**31 - 1, 1), (1, 2**31 - 1)])
def test_decompression_bomb_is_refused_before_it_is_decoded(size):
    with pytest.raises(Invalid) as refused:
        normalise(png_bomb(*size))
    assert refused.value.field == "picture"


def test_large_photograph_is_not_taken_for_a_bomb():
    assert opened(normalise(image_bytes("JPEG", size=(8000, 6000)))).size == (512, 512)
