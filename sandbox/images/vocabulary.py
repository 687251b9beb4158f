"""The words the painter knows: things, colours, skies, and how many."""

import re
from dataclasses import dataclass

from sandbox.images import shapes
from sandbox.images.canvas import Colour, mixed
from sandbox.images.shapes import Draw


@dataclass(frozen=True)
class Thing:
    """Something that can be drawn: in its own colour, so high (of the short side), standing or in the sky."""

    draw: Draw
    colour: Colour
    high: float
    aloft: bool = False


@dataclass(frozen=True)
class Wish:
    """One thing a text asks for: what, in which colour, how many."""

    name: str
    thing: Thing
    colour: Colour
    count: int


_THINGS = {
    "fox": Thing(shapes.fox, (226, 114, 44), 0.56),
    "cat": Thing(shapes.cat, (128, 128, 144), 0.52),
    "dog": Thing(shapes.dog, (196, 146, 92), 0.54),
    "rabbit": Thing(shapes.rabbit, (214, 206, 200), 0.48),
    "bear": Thing(shapes.bear, (140, 98, 66), 0.6),
    "bird": Thing(shapes.bird, (84, 150, 214), 0.26),
    "fish": Thing(shapes.fish, (240, 150, 70), 0.3),
    "house": Thing(shapes.house, (238, 214, 176), 0.5),
    "tree": Thing(shapes.tree, (64, 138, 82), 0.56),
    "flower": Thing(shapes.flower, (236, 112, 150), 0.36),
    "boat": Thing(shapes.boat, (244, 240, 230), 0.46),
    "robot": Thing(shapes.robot, (158, 176, 194), 0.56),
    "car": Thing(shapes.car, (214, 72, 72), 0.34),
    "rocket": Thing(shapes.rocket, (232, 236, 240), 0.6),
    "person": Thing(shapes.person, (74, 144, 200), 0.5),
    "hat": Thing(shapes.hat, (206, 70, 140), 0.22),
    "heart": Thing(shapes.heart, (226, 66, 96), 0.28, aloft=True),
    "balloon": Thing(shapes.balloon, (226, 84, 84), 0.42, aloft=True),
    "sun": Thing(shapes.sun, (255, 214, 84), 0.26, aloft=True),
    "moon": Thing(shapes.moon, (250, 244, 214), 0.24, aloft=True),
    "star": Thing(shapes.star, (255, 226, 110), 0.13, aloft=True),
    "cloud": Thing(shapes.cloud, (250, 252, 255), 0.14, aloft=True),
}
_ALSO = {
    "kitten": "cat", "puppy": "dog", "bunny": "rabbit", "hare": "rabbit", "cottage": "house", "home": "house",
    "cabin": "house", "hut": "house", "fir": "tree", "pine": "tree", "rose": "flower", "tulip": "flower",
    "ship": "boat", "sailboat": "boat", "man": "person", "woman": "person", "girl": "person", "boy": "person",
    "child": "person", "people": "person", "foxes": "fox", "men": "person", "women": "person",
    "children": "person", "puppies": "dog", "bunnies": "rabbit", "spaceship": "rocket", "forest": "tree",
    "wood": "tree", "village": "house", "city": "house", "town": "house", "otter": "bear", "wolf": "dog",
}  # fmt: skip
_COLOURS: dict[str, Colour] = {
    "red": (222, 62, 52), "orange": (236, 132, 42), "yellow": (246, 206, 66), "green": (72, 160, 88),
    "blue": (62, 118, 210), "purple": (138, 84, 186), "violet": (138, 84, 186), "pink": (240, 130, 170),
    "brown": (130, 88, 58), "black": (52, 50, 60), "white": (246, 246, 248), "grey": (140, 144, 152),
    "gray": (140, 144, 152), "golden": (232, 184, 64), "gold": (232, 184, 64), "silver": (190, 198, 208),
    "turquoise": (64, 190, 190), "teal": (40, 140, 140),
}  # fmt: skip
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "2": 2, "3": 3, "4": 4, "5": 5, "many": 5}
_MANY = {"forest": 5, "wood": 4, "village": 3, "city": 5, "town": 4, "people": 3}
_SCENES = {
    "night": "night", "midnight": "night", "dark": "night", "evening": "sunset", "sunset": "sunset",
    "dusk": "sunset", "dawn": "sunset", "snow": "snow", "snowy": "snow", "winter": "snow", "snowing": "snow",
    "sea": "sea", "ocean": "sea", "lake": "sea", "beach": "sea", "water": "sea", "river": "sea",
    "rain": "rain", "rainy": "rain", "raining": "rain", "mountain": "mountains", "mountains": "mountains",
    "hills": "mountains", "hill": "mountains", "space": "night", "desert": "desert",
    "day": "day", "daylight": "day", "sunny": "day", "morning": "day",
}  # fmt: skip
_SMALL = frozenset(
    {
        "a", "an", "the", "in", "on", "at", "of", "with", "and", "to", "it", "its", "is", "make",
        "add", "put", "draw", "picture", "some", "more", "please", "now", "by", "for", "under",
        "over", "near", "beside", "next", "this", "that", "be", "me", "us", "from", "into", "there",
        "one", "but", "as", "very", "style", "background", "sky", "imagine", "little", "small",
        "big", "sitting", "standing", "cheerful", "cute", "again", "instead", "should", "have",
        "give", "let", "turn", "change", "everything",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What a text asks for: things, scenes (`night`, `snow`, …), a colour without a thing, unknown words."""

    wishes: tuple[Wish, ...]
    scenes: frozenset[str]
    colour: Colour | None
    unknown: tuple[str, ...]


def understand(prompt: str) -> Reading:
    """Read a prompt word by word: a colour or a number belongs to the thing that follows it."""
    wishes: list[Wish] = []
    scenes: set[str] = set()
    unknown: list[str] = []
    colour: Colour | None = None
    count = 1
    for word in re.findall(r"[\w'-]+", prompt.lower()):
        name = _thing_name(word)
        if word in _COLOURS:
            colour = _COLOURS[word]
        elif word in _NUMBERS:
            count = _NUMBERS[word]
        elif name is not None:
            thing = _THINGS[name]
            many = max(count, _MANY.get(word, 1), 2 if word == f"{name}s" else 1)
            coat = mixed(colour, thing.colour, 0.25) if colour else thing.colour
            wishes.append(Wish(name, thing, coat, many))
            colour, count = None, 1
        elif word in _SCENES:
            scenes.add(_SCENES[word])
        elif word not in _SMALL:
            unknown.append(word)
    return Reading(tuple(wishes[:6]), frozenset(scenes), colour, tuple(unknown))


def _thing_name(word: str) -> str | None:
    """The name of the thing a word means, also in the plural, or None."""
    for candidate in (word, word.removesuffix("s"), word.removesuffix("es")):
        if candidate in _THINGS:
            return candidate
        if candidate in _ALSO:
            return _ALSO[candidate]
    return None
