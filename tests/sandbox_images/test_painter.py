"""The pictures: the same for the same words, of the size and kind that was ordered, changed by an edit."""

import io

import pytest
from PIL import Image, ImageChops, ImageStat

from sandbox.images.painter import Order, paint
from sandbox.images.vocabulary import understand

SIDE = 256


def opened(data: bytes) -> Image.Image:
    """The pixels of a picture."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def difference(one: bytes, other: bytes) -> float:
    """How far two pictures are apart, 0 to 255 for an average pixel."""
    return sum(ImageStat.Stat(ImageChops.difference(opened(one), opened(other))).mean) / 3


@pytest.fixture(scope="module")
def fox() -> bytes:
    """The picture that is edited."""
    return paint(Order("a red fox in snow", SIDE, SIDE))


def test_the_same_order_gives_the_same_bytes(fox: bytes) -> None:
    assert paint(Order("a red fox in snow", SIDE, SIDE)) == fox


def test_other_words_and_other_variants_give_other_pictures(fox: bytes) -> None:
    assert difference(fox, paint(Order("a blue boat at sea", SIDE, SIDE))) > 20
    assert paint(Order("a red fox in snow", SIDE, SIDE, variant=1)) != fox


def test_the_fox_is_orange_in_the_middle(fox: bytes) -> None:
    red, green, blue = ImageStat.Stat(opened(fox).crop((96, 80, 160, 220))).mean
    assert red > green + 30
    assert red > blue + 30


@pytest.mark.parametrize(
    "words",
    ["make it night", "make it blue", "add a moon", "add a tree", "add snow", "zoom in", "make it bigger",
     "zoom out", "sunset please", "in the rain", "on a sunny day", "at sea", "in the desert",
     "black and white", "sepia", "pixel art", "cartoon", "as a watercolour", "flip it", "upside down",
     "brighter", "darker", "put a frame around it", "give it a hat", "give it a monocle", "two balloons",
     "a heart"],
)  # fmt: skip
def test_an_edit_changes_the_picture_and_keeps_its_size(words: str, fox: bytes) -> None:
    edited = paint(Order(words, SIDE, SIDE, parents=(fox,)))
    assert opened(edited).size == (SIDE, SIDE)
    assert difference(fox, edited) > 1


def test_night_is_dark_and_the_fox_is_still_there(fox: bytes) -> None:
    night = paint(Order("make it night", SIDE, SIDE, parents=(fox,)))
    before, after = ImageStat.Stat(opened(fox).convert("L")), ImageStat.Stat(opened(night).convert("L"))
    assert after.mean[0] < before.mean[0] * 0.65
    body, ground = opened(night).getpixel((128, 100)), opened(night).getpixel((20, 230))
    assert body != ground


def test_a_mask_protects_what_it_covers(fox: bytes) -> None:
    mask = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, SIDE, SIDE // 2))
    out = io.BytesIO()
    mask.save(out, "PNG")
    edited = opened(paint(Order("make it night", SIDE, SIDE, parents=(fox,), mask=out.getvalue())))
    assert edited.getpixel((20, 200)) == opened(fox).getpixel((20, 200))
    assert edited.getpixel((20, 20)) != opened(fox).getpixel((20, 20))


def test_under_a_mask_not_a_pixel_changes_and_nothing_is_pinned_or_stamped(fox: bytes) -> None:
    mask = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (20, 20, 120, 120))
    out = io.BytesIO()
    mask.save(out, "PNG")
    boat = paint(Order("a boat", SIDE, SIDE))
    plain = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (9, 90, 200)).save(plain, "PNG")
    order = Order("make it night", SIDE, SIDE, parents=(plain.getvalue(), boat), mask=out.getvalue())
    changed = ImageChops.difference(opened(plain.getvalue()), opened(paint(order))).getbbox()
    assert changed == (20, 20, 120, 120)


def test_every_one_of_fifteen_references_can_be_seen(fox: bytes) -> None:
    boats = [paint(Order("a boat", SIDE, SIDE, variant=n)) for n in range(2)]
    with_last = paint(Order("zoom in", SIDE, SIDE, parents=(fox, *[boats[0]] * 14, boats[1])))
    assert with_last != paint(Order("zoom in", SIDE, SIDE, parents=(fox, *[boats[0]] * 15)))


def test_an_opaque_picture_can_be_cut_out_and_a_cut_out_one_laid_on_white(fox: bytes) -> None:
    with Image.open(
        io.BytesIO(paint(Order("zoom in", SIDE, SIDE, parents=(fox,), transparent=True)))
    ) as image:
        alpha = image.getchannel("A")
    cut = paint(Order("a red fox", SIDE, SIDE, transparent=True))
    laid = opened(paint(Order("zoom out", SIDE, SIDE, parents=(cut,))))
    assert (alpha.getpixel((3, 3)), alpha.getpixel((128, 128))) == (0, 255)
    assert laid.getpixel((3, 3)) == (255, 255, 255)


def test_further_pictures_are_pinned_into_the_corner(fox: bytes) -> None:
    boat = paint(Order("a boat", SIDE, SIDE))
    assert paint(Order("zoom in", SIDE, SIDE, parents=(fox, boat))) != paint(
        Order("zoom in", SIDE, SIDE, parents=(fox,))
    )


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
def test_the_format_is_the_one_that_was_ordered(kind: str) -> None:
    with Image.open(io.BytesIO(paint(Order("a cat", SIDE, SIDE, output_format=kind)))) as image:
        assert image.format == kind.upper()
        assert image.size == (SIDE, SIDE)


def test_a_gif_moves_and_an_svg_shows_the_picture() -> None:
    with Image.open(io.BytesIO(paint(Order("a cat", SIDE, SIDE, output_format="gif")))) as image:
        assert getattr(image, "n_frames", 1) > 1
    svg = paint(Order("a cat", SIDE, SIDE, output_format="svg"))
    assert svg.startswith(b"<svg ")
    assert opened(paint(Order("make it night", SIDE, SIDE, parents=(svg,)))).size == (SIDE, SIDE)


def test_a_transparent_picture_has_no_background() -> None:
    with Image.open(io.BytesIO(paint(Order("a red fox", SIDE, SIDE, transparent=True)))) as image:
        alpha = image.getchannel("A")
    assert alpha.getpixel((5, 5)) == 0
    assert alpha.getpixel((128, 160)) == 255


def test_a_draft_looks_like_its_picture_but_softer(fox: bytes) -> None:
    draft = paint(Order("a red fox in snow", SIDE, SIDE).draft(0.3))
    assert 0 < difference(fox, draft) < 30


def test_a_colour_and_a_number_belong_to_the_thing_that_follows() -> None:
    reading = understand("two blue cats and a dog under the stars at night, juggling")
    assert [(wish.name, wish.count) for wish in reading.wishes] == [("cat", 2), ("dog", 1), ("star", 2)]
    blue, dog = reading.wishes[0].colour, reading.wishes[1].colour
    assert blue[2] > blue[0]
    assert dog == reading.wishes[1].thing.colour
    assert (reading.scenes, reading.unknown) == (frozenset({"night"}), ("juggling",))


def test_words_without_a_drawing_are_lettered_in() -> None:
    plain = paint(Order("a fox", SIDE, SIDE))
    lettered = paint(Order("a fox juggling teapots", SIDE, SIDE))
    sign = (64, 220, 192, 242)
    assert (
        ImageStat.Stat(opened(lettered).crop(sign)).mean[0]
        > ImageStat.Stat(opened(plain).crop(sign)).mean[0] + 20
    )


@pytest.mark.parametrize("prompt", ["", "🦊", "x" * 2_000, "многая лета", "a house " * 40])
def test_any_words_can_be_painted(prompt: str) -> None:
    assert opened(paint(Order(prompt, 384, SIDE))).size == (384, SIDE)
