"""What people attach: told by its bytes, refused with a reason, or made ready to be sent."""

from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from darkroom.rendering import inputs
from darkroom.rendering.encoding import Prepared
from darkroom.rendering.headers import STEPS_MAX
from darkroom.rendering.inputs import SENT_BYTES_MAX, SENT_PIXELS_MAX, as_mask, prepare
from darkroom.rendering.kinds import Trouble, Unpreparable
from darkroom.rendering.request import MAX_DATA_URL, MAX_PICTURES, MAX_PICTURES_LENGTH
from darkroom.turns.endings import FileProblem
from storage.blobs import BlobStore

PEAK_MB = 600
"""What a process may take to prepare the worst of what is let in; 430 were measured, 20 of them Python's."""


def gradient(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    """A picture with something in it."""
    return Image.radial_gradient("L").resize((width, height)).convert(mode)


def encoded(image: Image.Image, format_: str, **how: Any) -> bytes:
    """Its file."""
    file = io.BytesIO()
    image.save(file, format_, **how)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def inserted(png: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks behind its header."""
    return png[:33] + b"".join(chunks) + png[33:]


def forged(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def zipped() -> bytes:
    """An archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("fox.png", PNG)
    return file.getvalue()


def turned(image: Image.Image, orientation: int, format_: str) -> bytes:
    """A file that says that it is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, format_, exif=exif.tobytes())


PNG, JPEG = encoded(gradient(), "PNG"), encoded(gradient(), "JPEG")
WEBP, GIF = encoded(gradient(), "WEBP"), encoded(gradient(), "GIF")
MOVING = {"save_all": True, "append_images": [gradient().rotate(90), gradient().rotate(180)]}
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


class Desk:
    """A folder with a file in it and a place for blobs."""

    def __init__(self, folder: Path) -> None:
        self.file, self.blobs = folder / "attached", BlobStore(folder / "blobs")
        self.tmp = folder / "blobs" / "tmp"

    def prepare(self, data: bytes) -> Prepared:
        """A file of these bytes, made ready."""
        self.file.write_bytes(data)
        return prepare(self.file, self.blobs.begin, "fox.png")

    def refused(self, data: bytes) -> Trouble:
        """Why it is not; nothing half written stays."""
        with pytest.raises(Unpreparable) as unpreparable:
            self.prepare(data)
        assert list(self.tmp.glob("*")) == []
        return unpreparable.value.trouble

    def sent(self, data: bytes) -> Image.Image:
        """What is sent of it, as somebody else reads it; its facts are right."""
        made = self.prepare(data)
        assert made.path.stat().st_size == made.size_bytes <= SENT_BYTES_MAX
        assert made.path.suffix == f".{made.format}"
        image = Image.open(made.path)
        image.load()
        assert (image.format, image.size) == (made.format.upper(), (made.width, made.height))
        assert image.mode in ("RGB", "RGBA")
        return image


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


HOSTILE: dict[str, tuple[bytes | Callable[[], bytes], Trouble]] = {
    "nothing": (b"", Trouble.EMPTY),
    "a zip named .png": (zipped, Trouble.NOT_A_PICTURE),
    "an HTML page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", Trouble.NOT_A_PICTURE),
    "an HTML page with an SVG in it": (b"<html><body>" + SVG + b"</body></html>", Trouble.NOT_A_PICTURE),
    "a PDF": (b"%PDF-1.7\n", Trouble.NOT_A_PICTURE),
    "words": ("не картинка".encode(), Trouble.NOT_A_PICTURE),
    "zeros": (bytes(1000), Trouble.NOT_A_PICTURE),
    "a film": (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", Trouble.NOT_A_PICTURE),
    "a HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Trouble.HEIC),
    "a HEIC by its other brand": (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", Trouble.HEIC),
    "an AVIF": (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", Trouble.UNKNOWN_KIND),
    "a real AVIF": (encoded(gradient(), "AVIF"), Trouble.UNKNOWN_KIND),
    "a BMP": (encoded(gradient(), "BMP"), Trouble.UNKNOWN_KIND),
    "a TIFF": (encoded(gradient(), "TIFF"), Trouble.UNKNOWN_KIND),
    "a JPEG 2000": (encoded(gradient(), "JPEG2000"), Trouble.UNKNOWN_KIND),
    "an SVG with script": (SVG, Trouble.SVG),
    "an SVG behind much": (
        b"\xef\xbb\xbf \n<?xml version='1.0'?>\n<!-- <html> -->\n<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG//EN' "
        b"'x' [ <!ENTITY a 'b'> ]>\n<!-- more -->" + SVG,
        Trouble.SVG,
    ),
    "an SVG with a prefix": (b"<?xml version='1.0'?><svg:svg xmlns:svg='x'/>", Trouble.SVG),
    "an SVG in UTF-16": (SVG.decode().encode("utf-16"), Trouble.SVG),
    "a picture behind a blank": (b" " + PNG, Trouble.NOT_A_PICTURE),
    "half of a PNG": (PNG[: len(PNG) // 2], Trouble.BROKEN),
    "a PNG without its end": (PNG[:-12], Trouble.BROKEN),
    "a PNG's first bytes": (PNG[:20], Trouble.BROKEN),
    "a truncated JPEG": (JPEG[: len(JPEG) * 3 // 4], Trouble.BROKEN),
    "a JPEG's first bytes": (JPEG[:4], Trouble.BROKEN),
    "a truncated WebP": (WEBP[: len(WEBP) * 3 // 4], Trouble.BROKEN),
    "a truncated GIF": (GIF[: len(GIF) * 3 // 4], Trouble.BROKEN),
    "a GIF without a picture": (GIF[:13] + b";", Trouble.BROKEN),
    "a PNG with a wrong checksum": (PNG[:60] + b"\0\1\2\3" + PNG[64:], Trouble.BROKEN),
    "a PNG with a chunk beyond its end": (PNG[:33] + b"\x7f\xff\xff\xff" + PNG[37:], Trouble.BROKEN),
    "a PNG of no width": (forged(0, 100), Trouble.BROKEN),
    "a PNG that promises more than it has": (forged(1000, 1000), Trouble.BROKEN),
    "a forged PNG": (forged(100_000, 100_000), Trouble.TOO_MANY_PIXELS),
    "a PNG of 50 megapixels": (
        lambda: encoded(Image.new("1", (10_000, 5_000)), "PNG"),
        Trouble.TOO_MANY_PIXELS,
    ),
    "a JPEG of 4 gigapixels": (
        JPEG.replace(struct.pack(">HH", 40, 60), struct.pack(">HH", 65_500, 65_500)),
        Trouble.TOO_MANY_PIXELS,
    ),
    "a GIF with a huge screen": (
        GIF[:6] + struct.pack("<HH", 65_535, 65_535) + GIF[10:],
        Trouble.TOO_MANY_PIXELS,
    ),
    "a GIF with a huge frame": (
        GIF.replace(b"," + struct.pack("<4H", 0, 0, 60, 40), b"," + struct.pack("<4H", 60_000, 60_000, 9, 9)),
        Trouble.TOO_MANY_PIXELS,
    ),
    "a moving WebP with a huge canvas": (
        lambda: (webp := encoded(gradient(), "WEBP", **MOVING))[:24] + b"\xff\x3e\0\xff\x3e\0" + webp[30:],
        Trouble.TOO_MANY_PIXELS,
    ),
    "a WebP of another kind": (WEBP[:12] + b"VP9 " + WEBP[16:], Trouble.BROKEN),
    "50 MB and a byte": (lambda: PNG + bytes(50 * 1024 * 1024 + 1 - len(PNG)), Trouble.TOO_MANY_BYTES),
    "a PNG of nothing but chunks": (
        lambda: inserted(PNG, chunk(b"teSt", b"") * (STEPS_MAX + 1)),
        Trouble.BROKEN,
    ),
    "a JPEG of nothing but comments": (
        lambda: JPEG[:2] + b"\xff\xfe\0\2" * (STEPS_MAX + 1) + JPEG[2:],
        Trouble.BROKEN,
    ),
    "a GIF of nothing but comments": (
        lambda: GIF[:13] + b"!\xfe" + b"\1a" * (STEPS_MAX + 1) + b"\0" + GIF[13:],
        Trouble.BROKEN,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_or_no_picture_is_refused_with_its_reason(desk: Desk, name: str) -> None:
    data, trouble = HOSTILE[name]
    assert desk.refused(data() if callable(data) else data) is trouble


def test_each_trouble_is_a_problem_that_has_a_sentence() -> None:
    assert {trouble.value for trouble in Trouble} <= {problem.value for problem in FileProblem}


def test_a_jpeg_of_more_scans_than_it_is_worth_is_broken(desk: Desk) -> None:
    """Each costs as much as the picture: 51 of 39 megapixels are a minute of work in 3 KB."""
    jpeg = JPEG.replace(struct.pack(">HH", 40, 60), struct.pack(">HH", 6_500, 6_000))
    scan = jpeg[jpeg.index(b"\xff\xda") : -2]
    assert desk.refused(jpeg[:-2] + scan[:20] * 51 + jpeg[-2:]) is Trouble.BROKEN


@pytest.mark.parametrize(
    "beside",
    [
        chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(8 * 1024 * 1024))),
        chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(8 * 1024 * 1024))),
        chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + bytes(500)),
        chunk(b"acTL", struct.pack(">II", 100_000, 0)),
        b"".join(chunk(b"tEXt", b"k\0" + bytes(1000)) for _ in range(1000)),
    ],
    ids=["zTXt bomb", "iTXt bomb", "EXIF without its entries", "frames that never come", "many words"],
)
def test_what_stands_in_a_png_beside_the_picture_is_not_read(desk: Desk, beside: bytes) -> None:
    """It goes along as it is."""
    data = inserted(PNG, beside)
    assert desk.prepare(data).path.read_bytes() == data


def test_a_profile_that_unpacks_to_much_is_refused(desk: Desk) -> None:
    bomb = chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(64 * 1024 * 1024)))
    assert desk.refused(inserted(PNG, bomb)) is Trouble.BROKEN


@pytest.mark.parametrize("data", [PNG, JPEG, WEBP, encoded(gradient(mode="RGBA"), "PNG")])
def test_bytes_that_the_api_takes_stay_as_they_are(desk: Desk, data: bytes) -> None:
    made = desk.prepare(data)
    assert made.path.read_bytes() == data
    assert (made.width, made.height) == (60, 40)
    assert made.alpha is None


def test_words_of_a_jpeg_behind_its_picture_do_not_matter(desk: Desk) -> None:
    """Phones append films to photographs."""
    data = JPEG + b"\xff\xda" * 100_000
    assert desk.prepare(data).format == "jpeg"


@pytest.mark.parametrize("format_", ["GIF", "WEBP"])
def test_of_what_moves_the_first_picture_goes_along(desk: Desk, format_: str) -> None:
    sent = desk.sent(encoded(gradient(), format_, **MOVING))
    assert getattr(sent, "n_frames", 1) == 1
    assert similar(sent, gradient())


def similar(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures show the same."""
    difference = ImageChops.difference(one.convert("RGB"), other.convert("RGB").resize(one.size))
    return max(ImageStat.Stat(difference).mean) < 6


@pytest.mark.parametrize(
    ("mode", "format_"),
    [("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("P", "GIF")],
)
def test_other_ways_to_store_colours_become_rgb(desk: Desk, mode: str, format_: str) -> None:
    sent = desk.sent(encoded(gradient().convert(mode), format_))
    assert similar(sent, gradient().convert(mode).convert("RGB"))


def test_sixteen_bits_become_eight(desk: Desk) -> None:
    """The brightest stays the brightest, and the middle the middle."""
    deep = Image.frombytes("I;16", (2, 1), struct.pack("<HH", 0x7FFF, 0xFFFF))
    sent = desk.sent(encoded(deep, "PNG"))
    assert [sent.getpixel((x, 0)) for x in (0, 1)] == [(0x7F,) * 3, (0xFF,) * 3]


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_sent_upright(desk: Desk, format_: str, orientation: int) -> None:
    """As a viewer that knows EXIF shows them, and with nothing left to turn."""
    corner = Image.new("RGB", (64, 32), "white")
    corner.paste("red", (0, 0, 32, 16))
    sent = desk.sent(turned(corner, orientation, format_))
    assert sent.size == ((32, 64) if orientation > 4 else (64, 32))
    at = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}[orientation]
    x, y = at[0] * (sent.width - 1), at[1] * (sent.height - 1)
    red, green, blue = sent.convert("RGB").getpixel((x, y))  # type: ignore[misc]  # of an RGB picture these are three
    assert red > 200 > 80 > max(green, blue)
    assert orientation == 1 or sent.getexif().get(0x0112, 1) == 1


def test_a_large_picture_is_made_no_larger_than_the_apis_own(desk: Desk) -> None:
    sent = desk.sent(encoded(gradient(4200, 2000), "JPEG"))
    assert sent.width * sent.height <= SENT_PIXELS_MAX
    assert sent.width / sent.height == pytest.approx(2.1, rel=0.01)
    assert similar(sent.reduce(10), gradient(420, 200))


@pytest.mark.parametrize(("mode", "format_"), [("RGB", "jpeg"), ("RGBA", "webp")])
def test_a_heavy_picture_is_made_lighter(desk: Desk, mode: str, format_: str) -> None:
    """Noise is the worst: nothing can be left out of it unnoticed."""
    noise = Image.frombytes(mode, (1400, 1100), os.urandom(1400 * 1100 * len(mode)))
    made = desk.prepare(encoded(noise, "PNG", compress_level=0))
    assert (made.format, made.size_bytes <= SENT_BYTES_MAX) == (format_, True)


def test_sixteen_pictures_as_heavy_as_they_may_be_fit_into_a_request() -> None:
    url = SENT_BYTES_MAX * 4 // 3 + 100
    assert url <= MAX_DATA_URL
    assert (MAX_PICTURES - 1) * url + MAX_DATA_URL <= MAX_PICTURES_LENGTH


def holed(width: int, height: int, mode: str = "RGBA") -> Image.Image:
    """A picture with a transparent quarter."""
    image = gradient(width, height, "RGBA")
    image.paste((0, 0, 0, 0), (0, 0, width // 2, height // 2))
    return image.convert(mode)


@pytest.mark.parametrize(
    "data",
    [
        encoded(holed(64, 48), "PNG"),
        encoded(holed(64, 48, "LA"), "PNG"),
        encoded(holed(64, 48), "GIF"),
        encoded(holed(64, 48), "WEBP", lossless=True, exact=True),
        encoded(Image.new("L", (64, 48), 9), "PNG", transparency=9),
    ],
    ids=["RGBA", "LA", "GIF", "WebP", "tRNS"],
)
def test_transparent_areas_are_measured_and_kept(desk: Desk, data: bytes) -> None:
    made = desk.prepare(data)
    assert made.alpha is not None
    assert made.alpha.clear_ppm in (250_000, 1_000_000)
    with Image.open(made.path) as sent:
        assert sent.getchannel("A").histogram()[0] * 1_000_000 // (64 * 48) == made.alpha.clear_ppm


def test_a_large_picture_keeps_its_transparent_areas(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "SENT_PIXELS_MAX", 50_000)
    made = desk.prepare(encoded(holed(400, 250), "PNG"))
    assert made.alpha is not None
    assert made.alpha.clear_ppm == 250_000
    assert made.width < 400
    assert as_mask(made.path, 400, 250, desk.blobs.begin).covers_ppm == pytest.approx(250_000, rel=0.01)


def test_something_half_transparent_is_no_transparent_area(desk: Desk) -> None:
    veil = gradient(mode="RGBA")
    veil.putalpha(128)
    assert desk.prepare(encoded(veil, "PNG")).alpha is None


def test_a_mask_has_exactly_its_parents_size(desk: Desk) -> None:
    desk.file.write_bytes(encoded(holed(640, 480), "PNG"))
    mask = as_mask(desk.file, 1536, 1152, desk.blobs.begin)
    with Image.open(mask.prepared.path) as sent:
        assert (sent.format, sent.mode, sent.size) == ("PNG", "RGBA", (1536, 1152))
        alpha = sent.getchannel("A")
    assert set(alpha.get_flattened_data()) == {0, 255}
    assert alpha.getpixel((10, 10)) == 0
    assert alpha.getpixel((1000, 1000)) == 255
    assert mask.covers_ppm == 250_000


def test_a_mask_is_turned_like_its_picture(desk: Desk) -> None:
    desk.file.write_bytes(turned(holed(64, 48), 3, "PNG"))
    mask = as_mask(desk.file, 64, 48, desk.blobs.begin)
    with Image.open(mask.prepared.path) as sent:
        assert sent.getpixel((60, 44)) == (255, 255, 255, 0)


def test_a_mask_of_noise_fits_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its specks are smoothed until it does."""
    monkeypatch.setattr(inputs, "MASK_BYTES_MAX", 20_000)
    noise = Image.new("RGBA", (500, 400))
    noise.putalpha(Image.frombytes("L", (500, 400), os.urandom(200_000)))
    desk.file.write_bytes(encoded(noise, "PNG"))
    mask = as_mask(desk.file, 500, 400, desk.blobs.begin)
    assert mask.prepared.size_bytes <= 20_000
    assert 300_000 < mask.covers_ppm < 700_000


def test_what_has_no_alpha_is_no_mask(desk: Desk) -> None:
    desk.file.write_bytes(JPEG)
    with pytest.raises(Unpreparable):
        as_mask(desk.file, 60, 40, desk.blobs.begin)


@pytest.mark.parametrize("format_", ["png", "jpeg", "webp", "gif"])
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_are_sent_whole_or_refused(desk: Desk, format_: str, data: st.DataObject) -> None:
    """Whatever was changed in them, and wherever they end: never another exception."""
    whole = bytearray({"png": PNG, "jpeg": JPEG, "webp": WEBP, "gif": GIF}[format_])
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=5)):
        whole[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(whole)))
    try:
        made = desk.prepare(bytes(whole[:cut]))
    except Unpreparable:
        return
    assert made.width * made.height <= SENT_PIXELS_MAX


MEASURED: dict[str, Callable[[], bytes]] = {
    "png": lambda: encoded(gradient(8000, 5000), "PNG", compress_level=1),
    "png with alpha": lambda: encoded(holed(8000, 5000), "PNG", compress_level=1),
    "jpeg": lambda: encoded(gradient(8000, 5000), "JPEG"),
    "progressive jpeg": lambda: encoded(gradient(8000, 5000), "JPEG", progressive=True, subsampling=0),
    "gif": lambda: encoded(gradient(8000, 5000), "GIF"),
    "webp with alpha": lambda: encoded(holed(4096, 4096), "WEBP", method=0),
}


@pytest.mark.proof
@pytest.mark.parametrize("name", MEASURED)
def test_the_largest_pictures_take_bounded_memory(tmp_path: Path, name: str) -> None:
    """Measured as the most that a process of its own has ever held."""
    path = tmp_path / "attached"
    path.write_bytes(MEASURED[name]())
    code = (
        "import sys; from pathlib import Path\n"
        "from darkroom.rendering.inputs import prepare; from storage.blobs import BlobStore\n"
        "from tests.memory import peak_kb\n"
        "prepare(Path(sys.argv[1]), BlobStore(Path(sys.argv[2])).begin, 'x')\n"
        "print(peak_kb() // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(tmp_path / "blobs")],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
    )
    assert int(done.stdout) < PEAK_MB
