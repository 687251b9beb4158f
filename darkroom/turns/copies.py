"""What a button under a picture or an answer asks for: a request made from what was made before."""

from __future__ import annotations

from dataclasses import dataclass, replace

from darkroom.turns.intake import PROMPT_CHARACTERS_MAX
from darkroom.turns.model import Options, Picture, Request, Surface, Turn

VARIATION = "A variation of this picture: "
"""Stands before the prompt of the picture that is varied."""
FINER = "Paint this same picture in finer detail; change nothing else"
"""The whole prompt for a higher quality."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who presses, and where what they want is to go.

    ``key`` and ``order`` are the request's; ``thread_ts`` is the thread the button stands in.
    """

    user_id: str
    key: str
    order: str
    channel_id: str
    thread_ts: str
    reply_url: str | None = None


def again(picture: Picture, turn: Turn, asker: Asker, *, inputs: bool) -> Request:
    """The same once more: prompt, parent, references (if there were any *inputs*) and looks of *picture*,
    which *turn* made. The model is left to the settings unless the turn named one."""
    return replace(
        _wanted(picture, asker, picture.prompt, _looks(picture, turn)),
        chosen_id=picture.parent_id,
        fresh=picture.parent_id is None,
        inputs_from=turn.id if inputs else None,
    )


def variations(picture: Picture, turn: Turn, asker: Asker, number: int) -> Request:
    """*number* pictures that vary *picture*, made by *turn*."""
    prompt = VARIATION + picture.prompt.removeprefix(VARIATION)
    wanted = _wanted(picture, asker, prompt[:PROMPT_CHARACTERS_MAX], _looks(picture, turn))
    return replace(wanted, chosen_id=picture.id, wanted=number)


def higher(picture: Picture, turn: Turn, asker: Asker, quality: str) -> Request:
    """*picture*, made by *turn*, in another quality and the same size."""
    options = replace(_looks(picture, turn), quality=quality)
    return replace(_wanted(picture, asker, FINER, options), chosen_id=picture.id)


def in_our_dm(turn: Turn, asker: Asker, *, inputs: bool) -> Request:
    """What *turn* was to be, in the direct message with its person; with the *inputs* it had already."""
    asked = turn.request
    chosen = asked.chosen_id or turn.parent_id
    return replace(
        asked,
        key=asker.key,
        surface=Surface.BUTTON,
        order=asker.order,
        thread_ts=None,
        message_ts=None,
        reply_url=asker.reply_url,
        chosen_id=chosen,
        fresh=chosen is None,
        private=True,
        inputs_from=turn.id if inputs else asked.inputs_from,
    )


def edit_instead(turn: Turn, picture: Picture, asker: Asker) -> Request:
    """What *turn* said, as a change of *picture*, in that picture's thread."""
    return replace(
        _meant(turn, asker),
        channel_id=picture.channel_id,
        thread_ts=picture.thread_ts,
        message_ts=None,
        chosen_id=picture.id,
        fresh=False,
    )


def new_instead(turn: Turn, asker: Asker) -> Request:
    """What *turn* said, as a new picture, in the thread of the message that said it."""
    return replace(_meant(turn, asker), chosen_id=None, fresh=True)


def _meant(turn: Turn, asker: Asker) -> Request:
    return replace(
        turn.request, key=asker.key, surface=Surface.BUTTON, order=asker.order, reply_url=asker.reply_url
    )


def _wanted(picture: Picture, asker: Asker, prompt: str, options: Options) -> Request:
    return Request(
        key=asker.key,
        surface=Surface.BUTTON,
        team_id=picture.team_id,
        channel_id=asker.channel_id,
        user_id=asker.user_id,
        prompt=prompt,
        order=asker.order,
        options=options,
        thread_ts=asker.thread_ts,
        reply_url=asker.reply_url,
    )


def _looks(picture: Picture, turn: Turn) -> Options:
    return Options(
        width=picture.width,
        height=picture.height,
        quality=picture.quality,
        model=turn.request.options.model,
        format=picture.format,
        background=picture.background,
    )
