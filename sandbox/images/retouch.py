"""An edit: the picture before, changed so that a person sees at a glance that the edit took."""

import re
from collections.abc import Callable

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from sandbox.images import scenery
from sandbox.images.canvas import Colour, Dice, Layer, Pen, gradient, mixed
from sandbox.images.shapes import WHITE, moon, sun
from sandbox.images.vocabulary import Reading, Wish

Change = Callable[[Image.Image], Image.Image]


def retouched(before: Image.Image, prompt: str, reading: Reading, dice: Dice) -> Image.Image:
    """An RGBA picture of the same size. What is not understood is lettered in: it is never unchanged."""
    image, words = before, prompt.lower()
    understood = False
    for pattern, change in _CHANGES:
        if re.search(pattern, words):
            image, understood = change(image), True
    if reading.colour is not None and not reading.wishes:
        image, understood = (
            _tinted(image, mixed(reading.colour, WHITE, 0.2), mixed(reading.colour, WHITE, 0.45), 0.85),
            True,
        )
    for scene in sorted(reading.scenes):
        image, understood = _set_in(image, scene, dice), True
    wishes = [wish for wish in reading.wishes if wish.name not in ("sun", "moon") or not reading.scenes]
    if wishes:
        image = _added(image, wishes, dice)
        understood = True
    if not understood:
        layer = Layer(*image.size)
        image = _tinted(image, (255, 236, 206), (255, 250, 240), 0.5)
        scenery.letter(layer, prompt, 0.88, big=False)
        image.alpha_composite(layer.flat())
    return image


def _set_in(image: Image.Image, scene: str, dice: Dice) -> Image.Image:
    """The picture at another time of day, in other weather, or elsewhere."""
    layer = Layer(*image.size)
    size = layer.short * 0.27
    place = Pen(layer, layer.width * 0.8, layer.height * 0.2 + size / 2, size)
    if scene == "night":
        image = _tinted(image, (52, 64, 140), (126, 136, 206), 0.86)
        scenery.stars(layer, dice, 90)
        moon(place, (250, 244, 214))
    elif scene == "sunset":
        image = _tinted(image, (170, 110, 190), (255, 176, 104), 0.8)
    elif scene == "day":
        image = _bright(image, 1.35)
        sun(place, (255, 222, 110))
    elif scene == "snow":
        image = _whitened(image)
        scenery.snowfall(layer, dice)
    elif scene == "rain":
        image = _tinted(image, (130, 146, 166), (160, 172, 186), 0.75)
        scenery.rainfall(layer, dice)
    elif scene == "desert":
        image = _tinted(image, (255, 224, 160), (240, 190, 110), 0.8)
    else:
        image = _tinted(image, (150, 205, 235), (60, 130, 200), 0.7)
    image = image.copy()
    image.alpha_composite(layer.flat())
    return image


def _added(image: Image.Image, wishes: list[Wish], dice: Dice) -> Image.Image:
    """Things put into the picture: at its sides on the ground, or in its sky."""
    layer = Layer(*image.size)
    sides = [0.16, 0.85, 0.32, 0.68, 0.05, 0.95]
    standing = [wish for wish in wishes if not wish.thing.aloft for _ in range(wish.count)]
    for index, wish in enumerate(standing[: len(sides)]):
        size = wish.thing.high * layer.short * 0.75
        if wish.name == "hat":
            wish.thing.draw(Pen(layer, layer.width / 2, layer.height * 0.32, size * 1.4), wish.colour)
            continue
        x, y = layer.width * sides[index], layer.height * (0.9 + dice.between(-0.02, 0.02))
        wish.thing.draw(Pen(layer, x, y, size), wish.colour)
    aloft = [wish for wish in wishes if wish.thing.aloft]
    scenery.place_aloft(layer, aloft)
    image = image.copy()
    image.alpha_composite(layer.flat())
    return image


def _tinted(image: Image.Image, top: Colour, bottom: Colour, share: float) -> Image.Image:
    """The picture seen through a coloured glass, keeping its transparency."""
    rgb = image.convert("RGB")
    glass = ImageChops.multiply(rgb, gradient(*image.size, top, bottom))
    return _with_alpha(Image.blend(rgb, glass, share), image)


def _whitened(image: Image.Image) -> Image.Image:
    """Snow lying on the lower part."""
    white = Image.new("RGB", image.size, (246, 250, 255))
    ramp = Image.linear_gradient("L").resize(image.size).point([max(0, v - 110) for v in range(256)])
    return _with_alpha(Image.composite(white, image.convert("RGB"), ramp), image)


def _bright(image: Image.Image, factor: float) -> Image.Image:
    return _with_alpha(ImageEnhance.Brightness(image.convert("RGB")).enhance(factor), image)


def _with_alpha(rgb: Image.Image, image: Image.Image) -> Image.Image:
    rgba = rgb.convert("RGBA")
    rgba.putalpha(image.getchannel("A"))
    return rgba


def _closer(image: Image.Image) -> Image.Image:
    """The middle, half as big again."""
    width, height = image.size
    box = (width / 6, height / 4.5, width * 5 / 6, height * (1 / 4.5 + 2 / 3))
    return image.resize(image.size, Image.Resampling.LANCZOS, box=box)


def _farther(image: Image.Image) -> Image.Image:
    """The whole, smaller, on a soft copy of itself."""
    width, height = image.size
    back = image.filter(ImageFilter.GaussianBlur(min(image.size) * 0.04))
    back.alpha_composite(image.resize((width * 2 // 3, height * 2 // 3)), (width // 6, height // 6))
    return back


def _grey(image: Image.Image) -> Image.Image:
    return _with_alpha(ImageOps.grayscale(image.convert("RGB")).convert("RGB"), image)


def _sepia(image: Image.Image) -> Image.Image:
    grey = ImageOps.grayscale(image.convert("RGB"))
    return _with_alpha(ImageOps.colorize(grey, (40, 26, 12), (255, 238, 206)), image)


def _pixels(image: Image.Image) -> Image.Image:
    small = image.resize((max(1, image.width // 24), max(1, image.height // 24)))
    return small.resize(image.size, Image.Resampling.NEAREST)


def _posterised(image: Image.Image) -> Image.Image:
    soft = image.convert("RGB").filter(ImageFilter.MedianFilter(5))
    return _with_alpha(ImageOps.posterize(ImageEnhance.Color(soft).enhance(1.6), 3), image)


def _soft(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(min(image.size) * 0.008))


def _framed(image: Image.Image) -> Image.Image:
    edge = min(image.size) // 18
    inner = image.resize((image.width - 2 * edge, image.height - 2 * edge))
    framed = Image.new("RGBA", image.size, (196, 148, 72))
    framed.paste((250, 244, 230), (edge // 2, edge // 2, image.width - edge // 2, image.height - edge // 2))
    framed.paste(inner, (edge, edge))
    return framed


_CHANGES: tuple[tuple[str, Change], ...] = (
    (r"\bzoom in\b|\bcloser\b|\bclose-up\b|\bbigger\b|\blarger\b|\bcrop\b", _closer),
    (r"\bzoom out\b|\bfarther\b|\bfurther\b|\bsmaller\b|\bwider\b", _farther),
    (r"\bblack and white\b|\bgr[ae]yscale\b|\bmonochrome\b", _grey),
    (r"\bsepia\b|\bvintage\b|\bold photo\b", _sepia),
    (r"\bpixel", _pixels),
    (r"\bcartoon|\bposter|\bcomic|\bpop art\b", _posterised),
    (r"\bblur|\bsofter?\b|\bwatercolou?r\b|\bdreamy\b|\bpainting\b", _soft),
    (r"\bflip|\bmirror", ImageOps.mirror),
    (r"\bupside", ImageOps.flip),
    (r"\bbrighter\b|\blighter\b", lambda image: _bright(image, 1.35)),
    (r"\bdarker\b", lambda image: _bright(image, 0.6)),
    (r"\bframe|\bborder", _framed),
)
