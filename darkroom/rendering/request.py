"""What is sent for one attempt, on either endpoint."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

from darkroom.clock import Clock
from darkroom.rendering.job import InputPicture, RenderJob

MAX_DATA_URL = 20_971_520
"""Characters of a data URL that the API takes."""
MAX_PICTURES = 16
"""Pictures that may go along with a prompt, a mask included."""
MAX_MASK = 4_000_000
"""Bytes of a mask's file; the API takes those under 4 MB."""
MAX_PICTURES_LENGTH = 160 * 1024 * 1024
"""Characters of all data URLs of a request: sixteen pictures as people's are made ready, or seven of the
largest. They are in memory while the call runs."""
MAX_FILE = 50_000_000 - 1
"""Bytes of a picture that goes along as a file; the API takes those under 50 MB."""
_PIECE = 3 * 128 * 1024
"""Bytes encoded at a time: a multiple of three, and well under a millisecond."""


class UnsendableError(ValueError):
    """An input picture cannot go along; ``code`` is ours, in the style of the API's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def request_body(job: RenderJob, clock: Clock) -> dict[str, Any]:
    """The keyword arguments of ``client.responses.create``; UnsendableError if an input picture cannot go.

    Instructions and the safety identifier go along each time: the API inherits neither from
    ``previous_response_id``. The image model is always named, because the tool's own default is another one.
    """
    if len(job.input_pictures) + (job.mask is not None) > MAX_PICTURES:
        raise UnsendableError("too_many_pictures", f"at most {MAX_PICTURES} pictures can go along")
    body: dict[str, Any] = {
        "model": job.candidate.host_model,
        "input": job.prompt if not job.input_pictures else await _with_pictures(job, clock),
        "instructions": job.instructions,
        "tools": [await _tool(job, clock)],
        "tool_choice": {"type": "image_generation"} if job.forced else "auto",
        "max_tool_calls": 1,
        "max_output_tokens": job.max_output_tokens,
        "parallel_tool_calls": False,
        "safety_identifier": job.safety_identifier,
        "store": True,
        "stream": True,
    }
    if job.previous_response_id is not None:
        body["previous_response_id"] = job.previous_response_id
    return body


async def _tool(job: RenderJob, clock: Clock) -> dict[str, Any]:
    """The image tool; whether it makes a picture anew or edits one (``action``) is left to the model."""
    tool: dict[str, Any] = {
        "type": "image_generation",
        "model": job.candidate.image_model,
        "size": f"{job.width}x{job.height}",
        "quality": job.quality,
        "output_format": job.format,
        "partial_images": 0,
    }
    if job.background is not None:
        tool["background"] = job.background
    if job.mask is not None:
        if not job.input_pictures:
            raise UnsendableError("mask_alone", "a mask goes along with the picture that it is for")
        tool["input_image_mask"] = {"image_url": await _data_url(job.mask, clock, MAX_MASK * 4 // 3)}
    return tool


async def _with_pictures(job: RenderJob, clock: Clock) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = [{"type": "input_text", "text": job.prompt}]
    left = MAX_PICTURES_LENGTH
    for picture in job.input_pictures:
        url = await _data_url(picture, clock, min(MAX_DATA_URL, left))
        left -= len(url)
        content.append({"type": "input_image", "image_url": url, "detail": "auto"})
    return [{"role": "user", "content": content}]


async def _data_url(picture: InputPicture, clock: Clock, length_max: int) -> str:
    """The picture as a data URL, encoded in pieces so that other calls' streams are read in between."""
    pieces = [f"data:{picture.media_type};base64,"]
    length = len(pieces[0])
    try:
        with picture.path.open("rb") as file:
            while data := file.read(_PIECE):
                pieces.append(base64.b64encode(data).decode("ascii"))
                length += len(pieces[-1])
                if length > length_max:
                    raise UnsendableError("picture_too_large", "an input picture is too large to be sent")
                await clock.sleep(0)
    except OSError as error:
        raise UnsendableError("picture_unreadable", f"an input picture: {error.strerror}") from error
    if len(pieces) == 1:
        raise UnsendableError("picture_unreadable", "an input picture is empty")
    return "".join(pieces)


@contextmanager
def images_form(job: RenderJob) -> Iterator[dict[str, Any]]:
    """The keyword arguments of ``client.images.generate``; with input pictures those of
    ``client.images.edit``, whose files are open while it lasts. UnsendableError if one of them cannot go.

    The pictures are read while they are sent, never held in memory. ``moderation`` and ``user`` stay out: an
    edit knows no ``moderation``, whose default is the stricter one, and ``safety_identifier`` has replaced
    ``user``.
    """
    if len(job.input_pictures) + (job.mask is not None) > MAX_PICTURES:
        raise UnsendableError("too_many_pictures", f"at most {MAX_PICTURES} pictures can go along")
    if job.mask is not None and not job.input_pictures:
        raise UnsendableError("mask_alone", "a mask goes along with the picture that it is for")
    form: dict[str, Any] = {
        "model": job.candidate.image_model,
        "prompt": job.prompt,
        "n": 1,
        "size": f"{job.width}x{job.height}",
        "quality": job.quality,
        "output_format": job.format,
        "safety_identifier": job.safety_identifier,
    }
    if job.background is not None:
        form["background"] = job.background
    with ExitStack() as files:
        left = MAX_PICTURES_LENGTH * 3 // 4
        for number, given in enumerate(job.input_pictures, start=1):
            file, size = _opened(given, files, min(MAX_FILE, left))
            left -= size
            form.setdefault("image", []).append(
                (_file_name(f"picture-{number}", given), file, given.media_type)
            )
        if job.mask is not None:
            file, _ = _opened(job.mask, files, MAX_MASK - 1)
            form["mask"] = (_file_name("mask", job.mask), file, job.mask.media_type)
        yield form


def _opened(given: InputPicture, files: ExitStack, size_max: int) -> tuple[BinaryIO, int]:
    try:
        file = files.enter_context(given.path.open("rb"))
        size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise UnsendableError("picture_unreadable", f"an input picture: {error.strerror}") from error
    if not size:
        raise UnsendableError("picture_unreadable", "an input picture is empty")
    if size > size_max:
        raise UnsendableError("picture_too_large", "an input picture is too large to be sent")
    return file, size


def _file_name(stem: str, given: InputPicture) -> str:
    """Not the file's own, which is its digest."""
    return f"{stem}.{given.media_type.removeprefix('image/')}"
