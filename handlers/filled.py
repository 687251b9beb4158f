"""From what stands in a dialog to the request it is, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.turns.model import WANTED_MAX, Attachment, Options, Request, Surface
from handlers.asking import mapping
from handlers.attached import attachments_of
from handlers.blocks import hints, modal
from handlers.blocks.modal import USUAL, Form
from handlers.blocks.modal_memo import Memo
from handlers.options import BadOption, Said, checked_options, read_options
from handlers.services import Services

_PLACES = ("C", "G")
"""How the ids of channels and of conversations between several people begin."""


class BadForm(ValueError):
    """What stands in the dialog cannot be: a sentence by the ``block_id`` of the input that is wrong (plain
    text). Show them there; the dialog stays open."""

    def __init__(self, errors: Mapping[str, str], cause: BadOption | None = None) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Sender:
    """Who has the dialog ``view_id`` open, the channel of our direct message with them, where that is known,
    and when, as Slack's clock would say it."""

    user_id: str
    view_id: str
    home: str | None
    order: str


def filled(view: Mapping[str, Any], memo: Memo) -> tuple[Form, tuple[Attachment, ...]]:
    """What stands in a view, as Slack sends it, and the files that were put in. What is missing or of
    another type than promised counts as empty."""
    values = mapping(mapping(view.get("state")).get("values"))

    def held(block_id: str, action_id: str) -> Mapping[str, Any]:
        return mapping(mapping(values.get(block_id)).get(action_id))

    def option(block_id: str, action_id: str, otherwise: str) -> str:
        return _text(mapping(held(block_id, action_id).get("selected_option")).get("value")) or otherwise

    number = option(modal.NUMBER, modal.NUMBER_ACTION, "1")
    place = _text(held(modal.CHANNEL, modal.CHANNEL_ACTION).get("selected_conversation"))
    only = memo.pictures[-1].picture_id if memo.pictures else ""
    form = Form(
        prompt=_text(held(modal.PROMPT, modal.PROMPT_INPUT).get("value")),
        size=option(modal.SIZE, modal.SIZE_ACTION, USUAL),
        quality=option(modal.QUALITY, modal.QUALITY_ACTION, USUAL),
        wanted=int(number) if number in _NUMBERS else 0,
        channel_id=place if place.startswith(_PLACES) else None,
        private=bool(held(modal.PRIVATE, modal.PRIVATE_ACTION).get("selected_options")),
        which=option(modal.WHICH, modal.WHICH_ACTION, only) or None,
    )
    return form, attachments_of(held(modal.FILES, modal.FILES_INPUT))


_NUMBERS = frozenset(str(number) for number in range(1, WANTED_MAX + 1))


def request_of(
    form: Form,
    files: tuple[Attachment, ...],
    memo: Memo,
    sender: Sender,
    services: Services,
    callback_id: str,
) -> Request:
    """The request that a dialog (by its ``callback_id``) is. Raises ``BadForm``."""
    editing = callback_id == modal.EDIT_VIEW
    errors: dict[str, str] = {}
    cause = None
    said, options = Said(""), Options()
    try:
        said = _said(form.prompt, editing and not memo.direct, services)
    except BadOption as error:
        errors[modal.PROMPT], cause = str(error), error
    try:
        options = _options(form, memo, services, errors)
    except BadOption as error:
        cause = error
    if not 1 <= form.wanted <= WANTED_MAX:
        errors[modal.NUMBER] = f"1 to {WANTED_MAX} pictures can be made at once."
    if editing and memo.pictures and form.which not in {one.picture_id for one in memo.pictures}:
        errors[modal.WHICH] = "Choose one of these pictures."
    if editing and not (memo.pictures or memo.files or memo.inputs_from or files):
        errors[modal.FILES] = "Add the picture that is to be edited."
    options = said.options.or_else(options)
    if not errors and (options.format, options.background) == ("jpeg", "transparent"):
        errors[modal.PROMPT] = "A jpeg cannot be transparent. Leave one of them out."
    if errors:
        raise BadForm(errors, cause)
    wanted = said.wanted if said.wanted > 1 else form.wanted
    common = _common(sender, services, said.prompt, options, wanted, (*memo.files, *files))
    common["inputs_from"] = memo.inputs_from or None
    return _edit(common, form, memo, sender) if editing else _new(common, form, said, memo, sender)


def _common(
    sender: Sender,
    services: Services,
    prompt: str,
    options: Options,
    wanted: int,
    attachments: tuple[Attachment, ...],
) -> dict[str, Any]:
    return {
        "key": f"view:{sender.view_id}",
        "team_id": services.config.team_id,
        "user_id": sender.user_id,
        "prompt": prompt,
        "order": sender.order,
        "options": options,
        "wanted": wanted,
        "attachments": attachments,
    }


def _new(common: Mapping[str, Any], form: Form, said: Said, memo: Memo, sender: Sender) -> Request:
    private = said.private if said.private is not None else form.private
    # Without a channel there is only one place it can come to, whatever was ticked.
    private = private or form.channel_id is None
    place = form.channel_id or sender.home or sender.user_id
    # What was asked in a thread, worded anew, stays there; nothing else remembers one for a new picture.
    stays = memo.thread_ts is not None and place == memo.channel_id and (not private or place[:1] == "D")
    return Request(
        surface=Surface.MODAL,
        channel_id=place,
        thread_ts=memo.thread_ts if stays else None,
        fresh=True,
        private=private and not stays,
        **common,
    )


def _edit(common: Mapping[str, Any], form: Form, memo: Memo, sender: Sender) -> Request:
    chosen = form.which if memo.pictures else None
    return Request(
        surface=Surface.SHORTCUT,
        channel_id=(sender.home or sender.user_id) if memo.direct else memo.channel_id,
        thread_ts=None if memo.direct else memo.thread_ts,
        chosen_id=chosen,
        fresh=chosen is None,
        private=memo.direct,
        **common,
    )


def _said(text: str, in_thread: bool, services: Services) -> Said:
    text = text.encode("utf-8", "replace").decode().strip()
    if len(text) > modal.PROMPT_MAX:
        raise BadOption(
            f"At most {modal.PROMPT_MAX:,} characters fit here, and these are {len(text):,}. Shorten it, or "
            "send the whole of it with the command."
        )
    said = read_options(text, services.rules, services.today(), strict=False)
    if not said.prompt:
        raise BadOption("Say what should be in the picture.")
    if said.private and in_thread:
        raise BadOption(hints.PRIVATE_ELSEWHERE.format(imagine=services.config.imagine))
    return said


def _options(form: Form, memo: Memo, services: Services, errors: dict[str, str]) -> Options:
    """Checked one after the other, so that what is wrong is said at its own input."""
    kept = memo.options
    said = {"model": kept.model, "format": kept.format, "background": kept.background}
    given = {name: value for name, value in said.items() if value}
    options = Options()
    for block_id, name, value in ((modal.QUALITY, "quality", form.quality), (modal.SIZE, "size", form.size)):
        if value != USUAL:
            given[name] = value
        try:
            options = checked_options(given, services.rules, services.today()) if given else options
        except BadOption as error:
            errors[block_id] = str(error)
            raise
    return options


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
