"""The dialog for a picture: a new one, or an edit of what stands in a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from darkroom.spending.sizes import size_name
from darkroom.turns.model import WANTED_MAX, Attachment
from darkroom.turns.pricing import Quote
from handlers.blocks.modal_about import go_along
from handlers.blocks.modal_memo import Memo
from handlers.blocks.prices import limit_tag, price_tag
from handlers.blocks.text import SECTION_MAX, Block, context, escape, section, truncate

NEW_VIEW, EDIT_VIEW = "new_picture", "edit_picture"
"""The ``callback_id`` of the dialog, and of the same one with what is edited."""

PROMPT_INPUT, FILES_INPUT = "dialog_prompt", "dialog_files"
WHICH_ACTION, SIZE_ACTION, QUALITY_ACTION = "dialog_which", "dialog_size", "dialog_quality"
NUMBER_ACTION, CHANNEL_ACTION, PRIVATE_ACTION = "dialog_number", "dialog_channel", "dialog_private"
PRICED = (WHICH_ACTION, SIZE_ACTION, QUALITY_ACTION, NUMBER_ACTION, CHANNEL_ACTION, PRIVATE_ACTION)
"""What changes the price, or where the picture goes: the view is shown anew after each change."""

PROMPT, FILES, WHICH, SIZE, QUALITY = "prompt", "references", "which", "size", "quality"
NUMBER, CHANNEL, PRIVATE = "number", "channel", "private"
"""The ``block_id`` of each input. They never change: Slack keeps what stands in an input of the same ids when
a view is updated, and passes over its initial value then (views.update)."""

USUAL = "usual"
"""The value of "as usual": nothing was said."""
PROMPT_MAX = 3_000
"""The longest text that an input of Slack's holds."""
FILES_MAX = 10
FILETYPES = ("png", "jpg", "jpeg", "gif", "webp")
OPTION_MAX = 75

TOO_LONG = (
    "Only the first 3,000 characters fit here, the rest was cut off. The whole text can be sent with the "
    "command, or as a mention."
)
LATER_PRICE = "The price is shown when you change the size, the quality or the number."
OUTDATED = (
    "This dialog was opened before Darkroom was changed. Copy your text, close the dialog and open it again."
)
NO_RECORD = "Darkroom has no record of this picture. Close the dialog and use the shortcut once more."
OUTSIDE = "I am not in this channel. Type /invite @Darkroom there and press again, or tick the box below."
STILL_TO_COME = Attachment("", "picture", "image/png", 0)
"""Stands for the picture that is still to be put in, while the price is computed."""
NOTHING_TO_EDIT = (
    "This message has no picture that I could edit. Use the shortcut on a message with one, or send the "
    "picture to me together with what to change: as a mention in a thread, or in our direct message."
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be chosen: sizes in pixels, qualities; and what "as usual" is, in a few words each."""

    sizes: Sequence[tuple[int, int]]
    qualities: Sequence[str]
    usual_size: str
    usual_quality: str


@dataclass(frozen=True, slots=True)
class Form:
    """What stands in the dialog. ``size`` ("1536x1024") and ``quality`` can be ``USUAL``; ``channel_id`` of
    None is our direct message; ``which`` is the id of the picture that is edited."""

    prompt: str = ""
    size: str = USUAL
    quality: str = USUAL
    wanted: int = 1
    channel_id: str | None = None
    private: bool = False
    which: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the dialog says beside its inputs, all of it ``mrkdwn``: what is edited, the price, what is wrong
    with the place (may be empty)."""

    price: str
    about: str = ""
    place: str = ""


def new_picture_view(form: Form, choices: Choices, memo: Memo, shown: Shown) -> Block:
    """The dialog for a new picture."""
    return _modal(
        NEW_VIEW,
        "New picture",
        "Make it",
        memo,
        [
            *([section(truncate_mrkdwn(shown.about))] if shown.about else []),
            _prompt(form, "What should be in the picture?", "A red fox in snow, in the evening"),
            _along(memo, _files("Reference pictures", "What it should look like, or be made from.")),
            *_looks(form, choices),
            *_said(memo, shown),
            _channel(form),
            # Between the channel that is the trouble and the box that is the way out.
            *([section(truncate_mrkdwn(shown.place))] if shown.place else []),
            _private(form),
        ],
    )


def edit_picture_view(form: Form, choices: Choices, memo: Memo, shown: Shown) -> Block:
    """The dialog for an edit of what *memo* names; where that is nothing, its picture has to be put in."""
    nothing = not memo.pictures and not memo.files and not memo.inputs_from
    label = "The picture to edit" if nothing else "More reference pictures"
    return _modal(
        EDIT_VIEW,
        "Edit with Darkroom",
        "Edit it",
        memo,
        [
            section(truncate_mrkdwn(shown.about)),
            *_which(form, memo),
            _prompt(form, "What should be different?", "Make the sky green and leave all else"),
            _along(memo, _files(label, "At most 10, each a png, jpg, gif or webp.", optional=not nothing)),
            *_looks(form, choices),
            *_said(memo, shown),
        ],
    )


def nothing_to_edit_view() -> Block:
    """The message has no picture: how to come by an edit all the same."""
    return {
        "type": "modal",
        "callback_id": EDIT_VIEW,
        "title": _plain("Edit with Darkroom"),
        "close": _plain("Close"),
        "blocks": [section(NOTHING_TO_EDIT)],
    }


def price_words(quote: Quote, wanted: int, file_nano_usd: int) -> str:
    """The price of *wanted* pictures together, before they are asked for, and what one more file can add."""
    most, likely = limit_tag(quote.at_most_nano_usd), price_tag(quote.likely_nano_usd)
    file = f" Each file added: at most {limit_tag(file_nano_usd)} more." if file_nano_usd else ""
    if wanted == 1:
        return f"*Price:* about {likely}, at most {most}.{file}"
    each = price_tag(-(-quote.likely_nano_usd // wanted))
    return f"*Price:* about {each} each, {likely} together, at most {most} for all {wanted}.{file}"


def outside_words(channel_id: str, us: str) -> str:
    """We are not in the channel that is chosen; *us* is our name as a mention."""
    return (
        f":warning: I am not in <#{channel_id}>, so nothing can be made there. Type `/invite` {us} in it, or "
        "tick the box below."
    )


def not_opened(imagine: str) -> str:
    """Slack did not open the dialog in time."""
    return (
        f"The dialog could not be opened in time. Try again, or say it all at once: `{imagine} a red fox in "
        "snow --size landscape`. Nothing was made."
    )


def cut(text: str) -> str:
    """As much of *text* as an input holds, in UTF-16 units, as Slack counts; no character is torn apart."""
    units = text.encode("utf-16-le")[: 2 * PROMPT_MAX]
    return units.decode("utf-16-le", "ignore")


def truncate_mrkdwn(text: str) -> str:
    """*text*, which is escaped already, within a section's limit."""
    return text if len(text) <= SECTION_MAX else text[: SECTION_MAX - 1] + "…"


def _modal(callback_id: str, title: str, submit: str, memo: Memo, blocks: Sequence[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": memo.written(),
        "title": _plain(title),
        "submit": _plain(submit),
        "close": _plain("Cancel"),
        "blocks": list(blocks),
    }


def _plain(text: str) -> Mapping[str, Any]:
    return {"type": "plain_text", "text": text}


def _input(block_id: str, label: str, element: Mapping[str, Any], **more: Any) -> Block:
    return {"type": "input", "block_id": block_id, "label": _plain(label), "element": element, **more}


def _prompt(form: Form, label: str, example: str) -> Block:
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": PROMPT_INPUT,
        "multiline": True,
        "max_length": PROMPT_MAX,
        "focus_on_load": True,
        "placeholder": _plain(example),
    }
    fits = cut(form.prompt)
    if fits:
        element["initial_value"] = fits
    hint = {} if fits == form.prompt else {"hint": _plain(TOO_LONG)}
    return _input(PROMPT, label, element, **hint)


def _along(memo: Memo, files: Block) -> Block:
    """What went along before goes along again, and then nothing else does: only one of the two is sent."""
    return context(go_along(memo.inputs)) if memo.inputs_from else files


def _files(label: str, hint: str, *, optional: bool = True) -> Block:
    element = {
        "type": "file_input",
        "action_id": FILES_INPUT,
        "filetypes": list(FILETYPES),
        "max_files": FILES_MAX,
    }
    return _input(FILES, label, element, optional=optional, hint=_plain(hint))


def _looks(form: Form, choices: Choices) -> list[Block]:
    sizes = {f"{w}x{h}": size_name(w, h) for w, h in choices.sizes}
    if form.size not in {USUAL, *sizes}:
        sizes[form.size] = form.size
    qualities = {quality: quality.capitalize() for quality in choices.qualities}
    numbers = {str(n): "1 picture" if n == 1 else f"{n} pictures" for n in range(1, WANTED_MAX + 1)}
    return [
        _select(SIZE, SIZE_ACTION, "Size", {USUAL: choices.usual_size, **sizes}, form.size),
        _select(
            QUALITY, QUALITY_ACTION, "Quality", {USUAL: choices.usual_quality, **qualities}, form.quality
        ),
        _select(NUMBER, NUMBER_ACTION, "How many", numbers, str(form.wanted)),
    ]


def _which(form: Form, memo: Memo) -> list[Block]:
    if len(memo.pictures) < 2:
        return []
    versions = {kept.picture_id: f"v{kept.version}" for kept in memo.pictures}
    return [_select(WHICH, WHICH_ACTION, "Which picture", versions, form.which or "")]


def _select(block_id: str, action_id: str, label: str, options: Mapping[str, str], chosen: str) -> Block:
    made = {value: _option(text, value) for value, text in options.items()}
    element: dict[str, Any] = {
        "type": "static_select",
        "action_id": action_id,
        "options": list(made.values()),
    }
    if chosen in made:
        element["initial_option"] = made[chosen]
    return _input(block_id, label, element, dispatch_action=True)


def _option(text: str, value: str) -> Mapping[str, Any]:
    return {"text": _plain(truncate(text, OPTION_MAX)), "value": value}


def _channel(form: Form) -> Block:
    element: dict[str, Any] = {
        "type": "conversations_select",
        "action_id": CHANNEL_ACTION,
        "placeholder": _plain("Our direct message"),
        # Direct messages between others are left out: Darkroom can never be in one.
        "filter": {"include": ["public", "private", "mpim"]},
    }
    if form.channel_id is not None:
        element |= {"initial_conversation": form.channel_id, "default_to_current_conversation": True}
    return _input(
        CHANNEL,
        "Where",
        element,
        optional=True,
        dispatch_action=True,
        hint=_plain("Without a channel the picture comes to our direct message."),
    )


def _private(form: Form) -> Block:
    only_me = _option("In our direct message, where only I see it", "yes")
    element: dict[str, Any] = {"type": "checkboxes", "action_id": PRIVATE_ACTION, "options": [only_me]}
    if form.private:
        element["initial_options"] = [only_me]
    return _input(PRIVATE, "Private", element, optional=True, dispatch_action=True)


def _said(memo: Memo, shown: Shown) -> list[Block]:
    """Right below what changes it: at the end of the dialog it would be out of sight."""
    kept = memo.kept_words()
    typed = [context(escape(f"As you typed: {kept}"))] if kept else []
    return [*typed, section(truncate_mrkdwn(shown.price))]
