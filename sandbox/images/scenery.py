"""A new picture: sky, ground, the things that were asked for, and a sign for what could not be drawn."""

import math
import textwrap

from PIL import Image

from sandbox.images.canvas import Colour, Dice, Layer, Pen, gradient, mixed
from sandbox.images.shapes import INK, WHITE, cloud, moon, sun
from sandbox.images.vocabulary import Reading, Wish

HORIZON = 0.68
_SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((108, 182, 236), (222, 242, 250)),
    "night": ((14, 20, 52), (58, 66, 122)),
    "sunset": ((92, 74, 148), (255, 176, 108)),
    "snow": ((142, 184, 216), (232, 242, 248)),
    "rain": ((104, 122, 140), (186, 198, 206)),
}
_GROUNDS: dict[str, tuple[Colour, Colour]] = {
    "grass": ((134, 196, 104), (84, 154, 80)),
    "snow": ((250, 252, 255), (206, 222, 238)),
    "sea": ((74, 150, 196), (30, 88, 148)),
    "desert": ((238, 206, 146), (214, 166, 100)),
}


def drawn(
    prompt: str, reading: Reading, width: int, height: int, transparent: bool, dice: Dice
) -> Image.Image:
    """An RGBA picture of what a prompt was understood as."""
    layer = Layer(width, height)
    if transparent:
        base = Image.new("RGBA", (width, height))
    else:
        base = _backdrop(reading, width, height, dice)
        _sky_things(layer, reading, dice)
    base.alpha_composite(layer.flat())
    front = Layer(width, height)
    place_things(front, [wish for wish in reading.wishes if not wish.thing.aloft], dice)
    place_aloft(
        front, [wish for wish in reading.wishes if wish.thing.aloft and wish.name not in ("sun", "moon")]
    )
    if "snow" in reading.scenes and not transparent:
        snowfall(front, dice)
    if "rain" in reading.scenes and not transparent:
        rainfall(front, dice)
    if not reading.wishes and not reading.scenes:
        letter(front, prompt, 0.5, big=True)
    elif reading.unknown:
        letter(front, " ".join(reading.unknown), 0.9, big=False)
    base.alpha_composite(front.flat())
    return base


def place_things(layer: Layer, wishes: list[Wish], dice: Dice) -> None:
    """Stand things side by side on the ground, the first in the middle, big ones behind."""
    each = [wish for wish in wishes for _ in range(wish.count)][:7]
    if not each:
        return
    scale = layer.short * (1.15 if len(each) == 1 else 1.0 if len(each) < 4 else 0.8)
    order = sorted(range(len(each)), key=lambda index: (index + 1) // 2 * (1 if index % 2 else -1))
    slots = {index: place for place, index in enumerate(order)}
    for index in sorted(range(len(each)), key=lambda number: _nearness(each[number])):
        wish = each[index]
        x = layer.width * (slots[index] + 0.5 + dice.between(-0.08, 0.08)) / len(each)
        y = layer.height * (0.9 - 0.12 * min(1.0, wish.thing.high - 0.3) + dice.between(-0.015, 0.015))
        shadow = wish.thing.high * scale
        layer.ellipse(x, y, shadow * 0.36, shadow * 0.045, (*INK[:3], 50))
        wish.thing.draw(Pen(layer, x, y, shadow), wish.colour)


def _nearness(wish: Wish) -> tuple[bool, float]:
    """What stands behind comes first: trees and houses, then the tall."""
    return wish.name not in ("tree", "house"), -wish.thing.high


def place_aloft(layer: Layer, wishes: list[Wish]) -> None:
    """Hang things in the sky, from the left to the right."""
    each = [wish for wish in wishes for _ in range(wish.count)][:9]
    for index, wish in enumerate(each):
        size = wish.thing.high * layer.short
        x = layer.width * (index + 0.6) / (len(each) + 0.8)
        y = max(size * 1.1, layer.height * (0.15 + 0.06 * math.sin(index * 2.1)) + size / 2)
        wish.thing.draw(Pen(layer, x, y, size), wish.colour)


def stars(layer: Layer, dice: Dice, count: int = 70) -> None:
    """Small stars over the upper half."""
    for _ in range(count):
        x, y = dice.between(0, layer.width), dice.between(0, layer.height * 0.55)
        radius = layer.short * dice.between(0.0012, 0.0042)
        layer.ellipse(x, y, radius, radius, (255, 250, 220, round(dice.between(150, 255))))


def snowfall(layer: Layer, dice: Dice, count: int = 130) -> None:
    """Snowflakes everywhere."""
    for _ in range(count):
        x, y = dice.between(0, layer.width), dice.between(0, layer.height)
        radius = layer.short * dice.between(0.003, 0.009)
        layer.ellipse(x, y, radius, radius, (*WHITE[:3], 225))


def rainfall(layer: Layer, dice: Dice, count: int = 140) -> None:
    """Streaks of rain everywhere."""
    for _ in range(count):
        x, y = dice.between(0, layer.width), dice.between(-0.1, 1.0) * layer.height
        long = layer.short * dice.between(0.03, 0.06)
        layer.line([(x, y), (x - long * 0.25, y + long)], (214, 228, 240, 150), layer.short * 0.003)


def letter(layer: Layer, words: str, middle: float, *, big: bool) -> None:
    """Words on a sign; `middle` is its height in the picture, 0 at the top."""
    size = layer.short * (0.075 if big else 0.04)
    wide = max(10, int(layer.width * 0.8 / (size * 0.56)))
    lines = textwrap.wrap(words, wide)[: 7 if big else 2] or ["…"]
    long = max(layer.text_width(line, size) for line in lines)
    x, y, tall = layer.width / 2, layer.height * middle, len(lines) * size * 1.25
    box = (x - long / 2 - size, y - tall / 2 - size * 0.5, x + long / 2 + size, y + tall / 2 + size * 0.5)
    layer.plate((box[0], box[1] + size * 0.15, box[2], box[3] + size * 0.15), size * 0.6, (*INK[:3], 70))
    layer.plate(box, size * 0.6, (255, 250, 236))
    for index, line in enumerate(lines):
        layer.text(x, y - tall / 2 + size * (0.62 + 1.25 * index), line, size, (70, 58, 74))


def _backdrop(reading: Reading, width: int, height: int, dice: Dice) -> Image.Image:
    """Sky and ground, with hills or waves between them."""
    scenes = reading.scenes
    night = "night" in scenes or any(wish.name == "moon" for wish in reading.wishes)
    sky = "night" if night else next((name for name in ("sunset", "rain", "snow") if name in scenes), "day")
    top, bottom = _SKIES[sky]
    if sky == "day":
        top = mixed(top, (150, 170, 250), dice.between(0, 0.5))
    if reading.colour is not None:
        top, bottom = mixed(top, reading.colour, 0.6), mixed(bottom, reading.colour, 0.25)
    base = gradient(width, height, top, bottom).convert("RGBA")
    ground = "sea" if any(w.name in ("boat", "fish") for w in reading.wishes) else "grass"
    ground = next((name for name in ("snow", "sea", "desert") if name in scenes), ground)
    near, far = _GROUNDS[ground]
    if sky in ("night", "sunset"):
        near, far = mixed(near, top, 0.5), mixed(far, top, 0.6)
    layer = Layer(width, height)
    if "mountains" in scenes:
        _mountains(layer, mixed(bottom, INK, 0.35), dice)
    if ground != "sea":
        _hills(layer, mixed(near, bottom, 0.35), 0.6, dice)
    base.alpha_composite(layer.flat())
    _lay_ground(base, near, far, flat=ground == "sea", dice=dice)
    return base


def _lay_ground(base: Image.Image, near: Colour, far: Colour, *, flat: bool, dice: Dice) -> None:
    """The ground up to the horizon: waving a little, or the flat sea with waves on it."""
    width, height = base.size
    edge = Layer(width, height)
    bend = 0.0 if flat else 0.03
    start = dice.between(0, 6)
    line = [(width * x / 24, height * (HORIZON + bend * math.sin(start + x / 4.5))) for x in range(25)]
    edge.polygon([*line, (width, height), (0, height)], WHITE)
    top = round(height * (HORIZON - bend))
    ground = Image.new("RGBA", base.size)
    ground.paste(gradient(width, height - top, near, far), (0, top))
    base.paste(ground, (0, 0), edge.flat().getchannel("A"))
    if flat:
        waves = Layer(width, height)
        for row in range(1, 9):
            y = height * (HORIZON + 0.036 * row)
            for _ in range(6):
                x, long = dice.between(0, width), width * dice.between(0.03, 0.08)
                waves.line(
                    [(x - long, y), (x, y - long * 0.12), (x + long, y)], (255, 255, 255, 110), height * 0.004
                )
        base.alpha_composite(waves.flat())


def _sky_things(layer: Layer, reading: Reading, dice: Dice) -> None:
    """Sun or moon, stars or clouds."""
    wished = {wish.name: wish for wish in reading.wishes}
    size = layer.short * 0.24
    x, y = layer.width * 0.8, layer.height * 0.2 + size / 2
    if "night" in reading.scenes or "moon" in wished:
        stars(layer, dice)
        moon(Pen(layer, x, y, size), wished["moon"].colour if "moon" in wished else (250, 244, 214))
        return
    if not reading.scenes & {"rain", "snow"} or "sun" in wished:
        low = 0.34 * layer.height if "sunset" in reading.scenes else 0
        sun(Pen(layer, x, y + low, size), wished["sun"].colour if "sun" in wished else (255, 222, 110))
    for index in range(3):
        high = layer.short * dice.between(0.07, 0.12)
        across = layer.width * (0.14 + 0.24 * index + dice.between(-0.05, 0.05))
        cloud(Pen(layer, across, layer.height * dice.between(0.12, 0.34), high), (255, 255, 255, 225))


def _hills(layer: Layer, colour: Colour, up: float, dice: Dice) -> None:
    start = dice.between(0, 6)
    line = [(layer.width * x / 24, layer.height * (up + 0.05 * math.sin(start + x / 3.1))) for x in range(25)]
    layer.polygon([*line, (layer.width, layer.height), (0, layer.height)], colour)


def _mountains(layer: Layer, colour: Colour, dice: Dice) -> None:
    """Three peaks with snow on them."""
    for middle, high in ((0.2, 0.4), (0.75, 0.46), (0.48, 0.56)):
        x = layer.width * (middle + dice.between(-0.05, 0.05))
        foot, top = layer.height * 0.7, layer.height * (0.7 - high)
        wide = layer.height * high * 0.75
        layer.polygon([(x - wide, foot), (x + wide, foot), (x, top)], colour)
        cap = [(x, top), (x - wide * 0.25, top + (foot - top) * 0.25)]
        for step, drop in enumerate((0.2, 0.3, 0.22)):
            cap.append((x + wide * (-0.12 + 0.12 * step), top + (foot - top) * drop))
        cap.append((x + wide * 0.25, top + (foot - top) * 0.25))
        layer.polygon(cap, (248, 250, 255))
