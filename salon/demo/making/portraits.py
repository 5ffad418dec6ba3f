"""Draw the demo people: `python -m salon.demo.making.portraits` writes salon/demo/portraits/*.webp.

Paper-cut busts from a few shapes: no photograph, no model, nobody real.
"""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

DEMO = Path(__file__).resolve().parent.parent
SIZE = 320
_FINE = 4
"""Drawn this much larger, then reduced: smooth edges without a vector library."""
_BELOW = 60

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Look:
    ground: str
    sun: str
    skin: str
    hair: str
    cut: str  # crop, bob, long, bun, curls, bald, waves
    clothes: str
    glasses: str | None = None
    beard: bool = False
    hat: str | None = None
    tilt: float = 0.0


LOOKS = {
    "nora": Look("#1f4e5f", "#f2b84b", "#f0c9a8", "#8c8f96", "bob", "#f4efe6", hat="#1b2a36", tilt=-3),
    "idris": Look("#7fb7be", "#eef4ed", "#8d5a3a", "#241c1a", "crop", "#1d3557", beard=True, tilt=4),
    "bea": Look("#e4a853", "#f9e4b7", "#d99e73", "#3a1f1a", "waves", "#8a3b2c", tilt=5),
    "theo": Look("#2d2a4a", "#f4d58d", "#e8b796", "#b5542e", "crop", "#4a7c59", glasses="#f4efe6", beard=True, tilt=-4),
    "juno": Look("#ee6c4d", "#ffd9a0", "#5c3a2a", "#17120f", "curls", "#f7f3ea", tilt=3),
    "louise": Look("#f3d9c9", "#d1495b", "#f3cfb3", "#c98a2b", "bun", "#ffffff", tilt=-4),
    "bastien": Look("#5b8e7d", "#f4e285", "#edc3a0", "#2f2a28", "crop", "#f4f1de", glasses="#263238", tilt=4),
    "camille": Look("#bc4b51", "#f4e1c1", "#f1c8a9", "#5a2a27", "long", "#264653", tilt=-5),
    "hugo": Look("#33415c", "#e07a5f", "#e3b08c", "#d9d6cf", "bald", "#22303c", beard=True, hat="#7d1d2b", tilt=3),
    "amina": Look("#8ab17d", "#f6bd60", "#c68a60", "#201717", "long", "#6d2e46", glasses="#6b3e26", tilt=4),
    "sam": Look("#f2cc8f", "#3d405b", "#4b2e22", "#120d0b", "bald", "#81b29a", glasses="#120d0b", tilt=-3),
    "zelie": Look("#6d597a", "#eaac8b", "#f4d3bd", "#d1603d", "curls", "#355070", tilt=-4),
    "paul": Look("#e9c46a", "#287271", "#eec4a4", "#6b4a32", "crop", "#e76f51", hat="#264653", tilt=4),
    "ingrid": Look("#a8dadc", "#e63946", "#f6dcc8", "#e3c16f", "bob", "#1d3557", tilt=-4),
}


def portrait(look: Look) -> Image.Image:
    """SIZE × SIZE, opaque; made to be cropped to a circle."""
    image = Image.new("RGB", (SIZE * _FINE, SIZE * _FINE), look.ground)
    draw = ImageDraw.Draw(image)
    _ellipse(draw, (150, 20, 330, 200), look.sun)
    # Taller than the picture, so that a tilted bust has no lower edge to show.
    bust = Image.new("RGBA", (SIZE * _FINE, (SIZE + _BELOW) * _FINE))
    _draw_bust(ImageDraw.Draw(bust), look)
    bust = bust.rotate(look.tilt, Image.Resampling.BICUBIC, center=(160 * _FINE, 300 * _FINE))
    image.paste(bust, (0, 6 * _FINE), mask=bust)
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def _draw_bust(draw: ImageDraw.ImageDraw, look: Look) -> None:
    _hair_behind(draw, look)
    _rounded(draw, (134, 196, 186, 262), _shade(look.skin, 0.86), 24)
    _ellipse(draw, (26, 236, 294, 500), look.clothes)
    _slice(draw, (126, 202, 194, 274), 0, 180, fill=_shade(look.skin, 0.86))
    for ear in ((92, 138, 116, 176), (204, 138, 228, 176)):
        _ellipse(draw, ear, _shade(look.skin, 0.92))
    _rounded(draw, (104, 72, 216, 226), look.skin, 56)
    if look.beard:
        _beard(draw, look)
    _face(draw, look)
    _hair_in_front(draw, look)
    if look.glasses:
        _glasses(draw, look.glasses)
    if look.hat:
        _hat(draw, look.hat)


def _hair_behind(draw: ImageDraw.ImageDraw, look: Look) -> None:
    if look.cut == "long":
        _rounded(draw, (84, 60, 236, 290), look.hair, 70)
    elif look.cut == "bob":
        _rounded(draw, (86, 60, 234, 208), look.hair, 60)
    elif look.cut == "waves":
        for box in ((82, 70, 152, 196), (168, 70, 238, 196), (88, 130, 132, 226), (188, 130, 232, 226)):
            _ellipse(draw, box, look.hair)
    elif look.cut == "bun":
        _ellipse(draw, (132, 12, 188, 68), look.hair)
        _rounded(draw, (96, 54, 224, 170), look.hair, 58)
    elif look.cut == "curls":
        for x, y in ((84, 62), (118, 34), (158, 30), (196, 58), (76, 106), (206, 102), (80, 148), (204, 146)):
            _ellipse(draw, (x, y, x + 46, y + 50), look.hair)


def _hair_in_front(draw: ImageDraw.ImageDraw, look: Look) -> None:
    if look.cut == "bald":
        return
    fringe: Box = (104, 58, 216, 146) if look.cut == "crop" else (100, 52, 220, 156)
    _slice(draw, fringe, 180, 360, fill=look.hair)
    if look.cut in ("long", "waves", "bob"):
        # A parting: the forehead shows on one side.
        _slice(draw, (128, 82, 208, 132), 0, 360, fill=look.skin)
        _slice(draw, (98, 54, 170, 152), 180, 300, fill=look.hair)


def _face(draw: ImageDraw.ImageDraw, look: Look) -> None:
    ink = "#1c1718"
    for x in (136, 184):
        _ellipse(draw, (x - 6, 145, x + 6, 158), ink)
        _ellipse(draw, (x - 1, 147, x + 3, 151), "#ffffff")
        _arc(draw, (x - 14, 130, x + 14, 152), 205, 335, ink=_shade(look.hair, 0.8), width=4)
    _arc(draw, (151, 148, 169, 180), 20, 150, ink=_shade(look.skin, 0.72), width=4)
    _arc(draw, (138, 168, 182, 202), 25, 155, ink="#8c2f39" if not look.beard else "#f3d5c9", width=5)
    for x in (118, 202):
        _ellipse(draw, (x - 11, 168, x + 11, 184), _blend(look.skin, "#e2725b", 0.28))


def _beard(draw: ImageDraw.ImageDraw, look: Look) -> None:
    _slice(draw, (104, 118, 216, 238), 0, 180, fill=look.hair)
    _ellipse(draw, (112, 150, 208, 204), look.skin)


def _glasses(draw: ImageDraw.ImageDraw, colour: str) -> None:
    for x in (136, 184):
        _arc(draw, (x - 19, 133, x + 19, 171), 0, 360, ink=colour, width=5)
    _arc(draw, (153, 146, 167, 160), 180, 360, ink=colour, width=5)


def _hat(draw: ImageDraw.ImageDraw, colour: str) -> None:
    _slice(draw, (98, 34, 222, 150), 180, 360, fill=colour)
    _rounded(draw, (92, 84, 228, 104), _shade(colour, 0.75), 10)


def _ellipse(draw: ImageDraw.ImageDraw, box: Box, fill: str) -> None:
    draw.ellipse(_fine(box), fill=fill)


def _rounded(draw: ImageDraw.ImageDraw, box: Box, fill: str, radius: float) -> None:
    draw.rounded_rectangle(_fine(box), radius * _FINE, fill=fill)


def _slice(draw: ImageDraw.ImageDraw, box: Box, start: float, end: float, *, fill: str) -> None:
    draw.pieslice(_fine(box), start, end, fill=fill)


def _arc(draw: ImageDraw.ImageDraw, box: Box, start: float, end: float, *, ink: str, width: int) -> None:
    draw.arc(_fine(box), start, end, fill=ink, width=width * _FINE)


def _fine(box: Box) -> Box:
    return (box[0] * _FINE, box[1] * _FINE, box[2] * _FINE, box[3] * _FINE)


def _shade(colour: str, factor: float) -> str:
    return _blend("#000000", colour, factor)


def _blend(under: str, over: str, share: float) -> str:
    pairs = ((int(under[at : at + 2], 16), int(over[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(a * (1 - share) + b * share):02x}" for a, b in pairs)


def main() -> None:
    folder = DEMO / "portraits"
    folder.mkdir(exist_ok=True)
    for handle, look in LOOKS.items():
        portrait(look).save(folder / f"{handle}.webp", quality=82, method=6)


if __name__ == "__main__":
    main()
