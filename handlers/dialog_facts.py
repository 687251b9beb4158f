"""What a dialog has to know before it opens: what may be chosen, and whether we are where it leads."""

from __future__ import annotations

import asyncio

from darkroom.spending.models import CatalogueProblem
from darkroom.spending.policy import Dimension
from darkroom.spending.sizes import BadSize, check_size, named_sizes, size_name
from handlers.blocks.modal import Choices, Form
from handlers.blocks.modal_memo import Memo
from handlers.blocks.prices import left_tag
from handlers.blocks.scopes import period_words
from handlers.clients import SlackRefused, SlackUnclear
from handlers.services import Services

ANSWER_WAIT_S = 1.5
"""How long a dialog waits for its price and for Slack's word on its channel: it has to open within 3 s."""
LEFT_WAIT_S = 0.5
"""How long it waits on top of that to say how little money is left: a long report may be in the way."""
_OUTSIDE = frozenset({"not_in_channel", "channel_not_found"})
"""Slack's names for a conversation that we cannot see into (conversations.history)."""


async def choices_of(services: Services, form: Form, memo: Memo, user_id: str, *, editing: bool) -> Choices:
    """The sizes that the model paints, the qualities that this person may use there, and what is usual."""
    config = services.config
    policy, names = await services.admin.policy(config.team_id)
    person = next((key for key, known in names.people.items() if known == user_id), "")
    access = policy.access_of(person, config.team_id, form.channel_id or memo.channel_id)
    sizes, qualities = _painted(services, memo.options.model or config.model)
    allowed = access.among(Dimension.QUALITY, qualities)
    if editing:
        return Choices(sizes, allowed, "As usual in this thread", "As usual in this thread")
    preferred = await services.conversations.preferences(config.team_id, user_id)
    size = size_name(preferred.width or config.width, preferred.height or config.height)
    return Choices(sizes, allowed, f"As usual: {size}", f"As usual: {preferred.quality or config.quality}")


def _painted(services: Services, name: str) -> tuple[list[tuple[int, int]], tuple[str, ...]]:
    """The sizes by name and the qualities of an image model; the usual ones for one that is unknown."""
    try:
        model = services.catalogue.usable_image(name, services.today())
    except CatalogueProblem:
        return list(named_sizes.values()), ("low", "medium", "high")
    sizes = []
    for size in named_sizes.values():
        try:
            check_size(model, *size)
        except BadSize:
            continue
        sizes.append(size)
    return sizes, model.qualities


async def left_words(services: Services, user_id: str, likely_nano_usd: int) -> str:
    """What is left to somebody, where that is less than something likely costs; else nothing, as also where
    the books do not say it in time."""
    config = services.config
    try:
        async with asyncio.timeout(LEFT_WAIT_S):
            own, *_ = await services.spend.balances(
                config.team_id, user_id, None, config.caps, services.clock.now()
            )
    except TimeoutError:
        return ""
    left = own.left_nano_usd
    if left is None or likely_nano_usd <= left:
        return ""
    return f"You have {left_tag(left)} left {period_words(own.period.kind)}."


async def is_outside(services: Services, channel: str) -> bool | None:
    """Whether we cannot see into a conversation, and so cannot post there; None where Slack does not say it
    in time. Reads nothing: it asks for the messages from now on."""
    try:
        async with asyncio.timeout(ANSWER_WAIT_S):
            await services.slack.find_message(channel, "", thread_ts=None, since=services.clock.now())
    except SlackRefused as refused:
        return True if refused.error in _OUTSIDE else None
    except (SlackUnclear, TimeoutError):
        return None
    return False
