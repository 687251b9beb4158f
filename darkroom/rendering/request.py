"""What is sent for one attempt on the Responses endpoint."""

from __future__ import annotations

import base64
from typing import Any

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
