"""What the painter can draw: one function a thing, on a pen, in a colour of its own unless told another."""

import math
from collections.abc import Callable

from sandbox.images.canvas import Colour, Pen, mixed

WHITE: Colour = (255, 255, 255)
INK: Colour = (40, 36, 48)
BROWN: Colour = (121, 85, 58)
Draw = Callable[[Pen, Colour], None]


def fox(pen: Pen, coat: Colour) -> None:
    """A sitting fox with a bushy tail."""
    for step in range(30):
        turn = step / 29
        tip = WHITE if turn > 0.76 else coat
        pen.dot(0.24 + 0.2 * math.sin(turn * 2.4), 0.09 + 0.4 * turn, 0.1 - 0.045 * abs(turn - 0.45), tip)
    _sitting(pen, coat)
    _ears(pen, coat, INK, 0.13, 0.2)
    _face(pen, coat)
    for side in (-1, 1):
        pen.shape(
            WHITE,
            (side * 0.24, 0.7),
            (side * 0.02, 0.66),
            (0, 0.555),
            (side * 0.1, 0.575),
            (side * 0.2, 0.63),
        )
    _looks(pen)


def cat(pen: Pen, coat: Colour) -> None:
    """A sitting cat with whiskers and a tail in the air."""
    pen.stroke(coat, 0.06, *((0.22 + 0.1 * math.sin(step), 0.08 + 0.06 * step) for step in range(8)))
    _sitting(pen, coat)
    _ears(pen, coat, (244, 170, 170), 0.14, 0.16)
    _face(pen, coat)
    _looks(pen)
    for side in (-1, 1):
        for up in (0.6, 0.63, 0.66):
            pen.stroke(mixed(coat, INK, 0.6), 0.007, (side * 0.08, 0.625), (side * 0.29, up))


def dog(pen: Pen, coat: Colour) -> None:
    """A sitting dog with hanging ears."""
    pen.stroke(coat, 0.07, (0.18, 0.1), (0.3, 0.2), (0.34, 0.33))
    _sitting(pen, coat)
    _face(pen, coat)
    dark = mixed(coat, INK, 0.45)
    for side in (-1, 1):
        pen.dot(side * 0.22, 0.66, 0.07, dark, 0.15)
    pen.dot(0, 0.61, 0.11, mixed(coat, WHITE, 0.6), 0.08)
    _looks(pen)
    pen.dot(0, 0.555, 0.03, (230, 96, 110), 0.04)


def rabbit(pen: Pen, coat: Colour) -> None:
    """A rabbit with tall ears."""
    for side in (-1, 1):
        pen.dot(side * 0.1, 0.9, 0.055, coat, 0.18)
        pen.dot(side * 0.1, 0.9, 0.028, (244, 180, 190), 0.13)
    pen.dot(0.24, 0.12, 0.07, WHITE)
    _sitting(pen, coat)
    _face(pen, coat)
    _looks(pen)


def bear(pen: Pen, coat: Colour) -> None:
    """A bear with round ears."""
    for side in (-1, 1):
        pen.dot(side * 0.17, 0.82, 0.075, coat)
        pen.dot(side * 0.17, 0.82, 0.04, mixed(coat, INK, 0.4))
    _sitting(pen, coat)
    _face(pen, coat)
    pen.dot(0, 0.61, 0.1, mixed(coat, WHITE, 0.5), 0.075)
    _looks(pen)


def bird(pen: Pen, coat: Colour) -> None:
    """A small round bird."""
    pen.shape(mixed(coat, INK, 0.3), (-0.25, 0.35), (-0.55, 0.5), (-0.5, 0.3))
    pen.dot(0, 0.35, 0.28, coat)
    pen.dot(0.18, 0.62, 0.17, coat)
    pen.dot(-0.05, 0.36, 0.17, mixed(coat, INK, 0.25), 0.12)
    pen.shape((245, 180, 60), (0.33, 0.66), (0.5, 0.6), (0.33, 0.56))
    pen.dot(0.22, 0.67, 0.025, INK)
    for across in (-0.05, 0.07):
        pen.stroke((200, 130, 50), 0.02, (across, 0.1), (across, 0))


def fish(pen: Pen, coat: Colour) -> None:
    """A fish swimming to the right."""
    pen.shape(mixed(coat, INK, 0.2), (-0.3, 0.4), (-0.6, 0.65), (-0.6, 0.15))
    pen.dot(0, 0.4, 0.4, coat, 0.25)
    pen.shape(mixed(coat, WHITE, 0.3), (-0.05, 0.42), (-0.2, 0.3), (-0.2, 0.52))
    pen.dot(0.23, 0.46, 0.05, WHITE)
    pen.dot(0.24, 0.46, 0.025, INK)


def house(pen: Pen, wall: Colour) -> None:
    """A house with a chimney and lit windows."""
    pen.box(0.2, 0.6, 0.3, 0.98, mixed(wall, INK, 0.45))
    pen.box(-0.42, 0, 0.42, 0.6, wall)
    pen.shape((176, 66, 58), (-0.54, 0.56), (0.54, 0.56), (0, 1))
    pen.box(-0.08, 0, 0.1, 0.32, BROWN, 0.02)
    for left in (-0.33, 0.19):
        pen.box(left, 0.26, left + 0.15, 0.43, (255, 226, 130), 0.01)
        pen.stroke(BROWN, 0.012, (left + 0.075, 0.26), (left + 0.075, 0.43))


def tree(pen: Pen, leaf: Colour) -> None:
    """A fir tree."""
    pen.box(-0.05, 0, 0.05, 0.2, BROWN)
    for low, wide, high in ((0.15, 0.34, 0.55), (0.37, 0.27, 0.76), (0.58, 0.19, 1.0)):
        pen.shape(mixed(leaf, INK, 0.3 - 0.3 * low), (-wide, low), (wide, low), (0, high))


def flower(pen: Pen, petal: Colour) -> None:
    """A flower with a smiling middle."""
    pen.stroke((70, 140, 70), 0.04, (0, 0), (0.03, 0.3), (0, 0.65))
    pen.dot(0.12, 0.22, 0.12, (86, 160, 80), 0.05)
    for step in range(8):
        turn = step * math.pi / 4
        pen.dot(0.19 * math.cos(turn), 0.7 + 0.19 * math.sin(turn), 0.11, petal)
    pen.dot(0, 0.7, 0.13, (250, 204, 72))
    for side in (-1, 1):
        pen.dot(side * 0.04, 0.73, 0.015, INK)
    pen.stroke(INK, 0.012, (-0.05, 0.68), (0, 0.655), (0.05, 0.68))


def boat(pen: Pen, sail: Colour) -> None:
    """A sailing boat."""
    pen.box(-0.015, 0.2, 0.015, 1, BROWN)
    pen.shape(sail, (0.03, 0.96), (0.03, 0.3), (0.45, 0.3))
    pen.shape(mixed(sail, WHITE, 0.4), (-0.03, 0.85), (-0.03, 0.3), (-0.35, 0.3))
    pen.shape((150, 74, 52), (-0.5, 0.24), (0.5, 0.24), (0.34, 0), (-0.34, 0))


def robot(pen: Pen, metal: Colour) -> None:
    """A friendly robot."""
    dark = mixed(metal, INK, 0.4)
    pen.stroke(dark, 0.02, (0, 0.85), (0, 0.95))
    pen.dot(0, 0.96, 0.035, (232, 84, 84))
    for side in (-1, 1):
        pen.box(min(side * 0.06, side * 0.16), 0, max(side * 0.06, side * 0.16), 0.2, dark, 0.03)
        pen.stroke(dark, 0.06, (side * 0.24, 0.5), (side * 0.36, 0.38), (side * 0.33, 0.24))
    pen.box(-0.25, 0.16, 0.25, 0.56, metal, 0.05)
    pen.box(-0.22, 0.58, 0.22, 0.87, metal, 0.06)
    pen.box(-0.17, 0.65, 0.17, 0.82, (38, 50, 66), 0.04)
    for side in (-1, 1):
        pen.dot(side * 0.075, 0.75, 0.035, (110, 236, 220))
    pen.stroke((110, 236, 220), 0.015, (-0.05, 0.69), (0, 0.675), (0.05, 0.69))
    for step, light in enumerate(((232, 84, 84), (250, 204, 72), (110, 200, 120))):
        pen.dot(-0.1 + 0.1 * step, 0.4, 0.03, light)


def car(pen: Pen, paint: Colour) -> None:
    """A small car."""
    pen.shape(paint, (-0.42, 0.4), (-0.28, 0.7), (0.2, 0.7), (0.4, 0.4))
    pen.shape((196, 228, 240), (-0.32, 0.42), (-0.23, 0.64), (-0.04, 0.64), (-0.04, 0.42))
    pen.shape((196, 228, 240), (0.02, 0.42), (0.02, 0.64), (0.16, 0.64), (0.3, 0.42))
    pen.box(-0.62, 0.14, 0.62, 0.44, paint, 0.1)
    pen.dot(0.57, 0.33, 0.045, (255, 240, 170))
    for across in (-0.34, 0.34):
        pen.dot(across, 0.14, 0.14, INK)
        pen.dot(across, 0.14, 0.065, (200, 205, 212))


def rocket(pen: Pen, paint: Colour) -> None:
    """A rocket taking off."""
    pen.shape((255, 170, 60), (-0.1, 0.18), (0.1, 0.18), (0, -0.08))
    for side in (-1, 1):
        pen.shape((214, 70, 70), (side * 0.12, 0.4), (side * 0.3, 0.14), (side * 0.12, 0.18))
    pen.dot(0, 0.58, 0.17, paint, 0.42)
    pen.shape((214, 70, 70), (-0.12, 0.86), (0.12, 0.86), (0, 1.06))
    pen.dot(0, 0.66, 0.08, (120, 200, 232))


def person(pen: Pen, shirt: Colour) -> None:
    """A person who waves."""
    for side in (-1, 1):
        pen.stroke((60, 72, 110), 0.09, (side * 0.05, 0.36), (side * 0.08, 0.02))
    pen.stroke(shirt, 0.07, (-0.1, 0.62), (-0.2, 0.4))
    pen.stroke(shirt, 0.07, (0.1, 0.62), (0.26, 0.8))
    pen.box(-0.14, 0.33, 0.14, 0.68, shirt, 0.06)
    pen.dot(0.27, 0.82, 0.04, (240, 200, 165))
    pen.dot(0, 0.82, 0.13, (240, 200, 165))
    pen.dot(0, 0.89, 0.13, BROWN, 0.075)
    for side in (-1, 1):
        pen.dot(side * 0.045, 0.82, 0.015, INK)
    pen.stroke(INK, 0.01, (-0.04, 0.765), (0, 0.75), (0.04, 0.765))


def hat(pen: Pen, cloth: Colour) -> None:
    """A party hat."""
    pen.shape(cloth, (-0.32, 0.1), (0.32, 0.1), (0, 0.9))
    for across, up in ((-0.1, 0.25), (0.1, 0.3), (-0.02, 0.5)):
        pen.dot(across, up, 0.055, (250, 220, 90))
    pen.dot(0, 0.9, 0.1, WHITE)


def heart(pen: Pen, colour: Colour) -> None:
    """A heart."""
    for side in (-1, 1):
        pen.dot(side * 0.21, 0.66, 0.235, colour)
    pen.shape(colour, (-0.42, 0.56), (0.42, 0.56), (0, 0.06))


def balloon(pen: Pen, colour: Colour) -> None:
    """A balloon on a string."""
    pen.stroke(INK, 0.01, (0, 0.42), (0.04, 0.25), (-0.03, 0.12), (0, 0))
    pen.shape(colour, (-0.04, 0.4), (0.04, 0.4), (0, 0.46))
    pen.dot(0, 0.7, 0.23, colour, 0.28)
    pen.dot(-0.08, 0.8, 0.05, mixed(colour, WHITE, 0.6), 0.08)


def sun(pen: Pen, colour: Colour) -> None:
    """The sun with its rays."""
    for step in range(12):
        turn = step * math.pi / 6
        inner, outer = (
            (0.3 * math.cos(turn), 0.3 * math.sin(turn)),
            (0.5 * math.cos(turn), 0.5 * math.sin(turn)),
        )
        pen.stroke(colour, 0.05, (inner[0], 0.5 + inner[1]), (outer[0], 0.5 + outer[1]))
    pen.dot(0, 0.5, 0.3, colour)


def moon(pen: Pen, colour: Colour) -> None:
    """The full moon with a glow and craters."""
    for ring in range(12):
        pen.dot(0, 0.5, 0.76 - 0.025 * ring, (*colour[:3], 6 + 5 * ring))
    pen.dot(0, 0.5, 0.42, colour)
    for across, up, radius in (
        (-0.13, 0.62, 0.09),
        (0.15, 0.48, 0.07),
        (-0.05, 0.32, 0.06),
        (0.12, 0.7, 0.04),
    ):
        pen.dot(across, up, radius, mixed(colour, INK, 0.14))


def star(pen: Pen, colour: Colour) -> None:
    """A star with five points."""
    points = []
    for step in range(10):
        turn, reach = math.pi / 2 + step * math.pi / 5, 0.5 if step % 2 == 0 else 0.21
        points.append((reach * math.cos(turn), 0.5 + reach * math.sin(turn)))
    pen.shape(colour, *points)


def cloud(pen: Pen, colour: Colour) -> None:
    """A cloud."""
    for across, up, radius in ((-0.45, 0.35, 0.25), (-0.1, 0.5, 0.36), (0.3, 0.42, 0.3), (0.58, 0.3, 0.2)):
        pen.dot(across, up, radius, colour)
    pen.box(-0.6, 0.1, 0.7, 0.35, colour, 0.12)


def _sitting(pen: Pen, coat: Colour) -> None:
    """The body of a sitting animal, seen from the front."""
    pen.dot(0, 0.27, 0.21, coat, 0.29)
    pen.dot(0, 0.31, 0.11, mixed(coat, WHITE, 0.88), 0.2)
    for side in (-1, 1):
        pen.dot(side * 0.13, 0.05, 0.09, mixed(coat, INK, 0.15), 0.055)


def _ears(pen: Pen, coat: Colour, inside: Colour, across: float, tall: float) -> None:
    for side in (-1, 1):
        tip, base = (side * (across + 0.07), 0.8 + tall), 0.74
        pen.shape(coat, (side * (across - 0.1), base), (side * (across + 0.11), base - 0.04), tip)
        pen.shape(
            inside,
            (side * (across - 0.03), base + 0.03),
            (side * (across + 0.07), base + 0.02),
            (tip[0], tip[1] - 0.05),
        )


def _face(pen: Pen, coat: Colour) -> None:
    pen.dot(0, 0.69, 0.25, coat, 0.17)


def _looks(pen: Pen) -> None:
    """Two eyes and a nose."""
    for side in (-1, 1):
        pen.dot(side * 0.105, 0.725, 0.028, INK, 0.035)
        pen.dot(side * 0.105 + 0.008, 0.738, 0.009, WHITE)
    pen.dot(0, 0.63, 0.033, INK, 0.026)
