"""Pictures in the books behind a desk, and what people press under them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from darkroom.turns.endings import Ending
from darkroom.turns.model import Attempt, AttemptState, Options, Picture, Request, Told, Turn
from handlers.blocks.dialogs import CHOICE_ACTION, CHOICE_BLOCK
from handlers.blocks.picture import MENU_ACTION, Choice
from handlers.blocks.text import Block
from sandbox.slack.blocks import check_blocks
from tests.examples import ALICE, DESIGN, NOON, TEAM, command, message, plan, settlement
from tests.handlers.support import Desk, clicked, fixture

ROOT, SHOWN = "1763640000.000100", "1763640100.000100"
"""The thread's root, and the message that brings its first picture."""
PRICE = 53_000_000


async def made(
    desk: Desk,
    number: int = 1,
    *,
    user: str = ALICE,
    prompt: str = "a red fox in snow",
    options: Options | None = None,
    amount: int = PRICE,
    told: bool = True,
) -> Picture:
    """Picture ``p1`` of the thread ``ROOT`` in #design; the next numbers are made from the one before."""
    limits, now = desk.services.config.caps, desk.clock.now()
    ts, attempt = f"17636400{number - 1:02d}.000100", f"a{number}"
    if number == 1:
        request = command(prompt, trigger="1", user=user)
        parent = None
    else:
        request, parent = message(prompt, ts, ROOT, user=user), f"p{number - 1}"
    turn = await desk.arrive(replace(request, options=options or Options()))
    planned = plan(attempt, amount, parent_id=parent)
    await desk.store.queue(turn.id, planned, limits, now)
    if number == 1:
        await desk.store.tell(turn.id, Told.PLACEHOLDER, ROOT, now)
    await desk.store.hold(turn.id, planned, limits, now)
    await desk.store.send(attempt, now)
    await desk.store.render(attempt, settlement(amount, picture_id=f"p{number}"), limits, now)
    if told:
        await desk.store.tell(turn.id, Told.MESSAGE, shown(number), now)
    return await found(desk, f"p{number}")


def attempt(attempt_id: str = "attempt_1", **changes: Any) -> Attempt:
    """A call that brought a picture, as the books have it."""
    planned = plan(attempt_id)
    usual = Attempt(
        id=attempt_id,
        turn_id="turn_1",
        number=1,
        state=AttemptState.SETTLED,
        endpoint=planned.candidate.endpoint,
        provider=planned.provider,
        image_model=planned.candidate.image_model,
        host_model=planned.candidate.host_model,
        width=planned.width,
        height=planned.height,
        quality=planned.quality,
        format=planned.format,
        parent_id=None,
        hold_nano_usd=PRICE,
        charged_nano_usd=PRICE,
        bound=planned.bound,
        price_version=planned.price_version,
        response_id="resp_1",
        held_at=NOON,
        dispatched_at=NOON,
        ended_at=NOON,
        ask=planned.ask,
    )
    return replace(usual, **changes)


def shown(number: int) -> str:
    """The ts of the message with that picture."""
    return f"17636401{number - 1:02d}.000100"


async def found(desk: Desk, picture_id: str) -> Picture:
    """That picture as it stands in the books."""
    picture = await desk.log.picture(picture_id)
    assert picture is not None
    return picture


async def ended_as(desk: Desk, request: Request, ending: Ending) -> Turn:
    """A turn that ended so, without a picture."""
    turn = await desk.arrive(request)
    return await desk.store.end(turn.id, ending, desk.clock.now())


def under(
    number: int, action_id: str, value: str, at: str = "1763640200.000001", **fields: Any
) -> dict[str, Any]:
    """Somebody (Alice) pressed a button under a picture of the thread at that moment."""
    payload = clicked(action_id, value, **fields)
    payload["container"] |= {"message_ts": shown(number), "thread_ts": ROOT, "channel_id": DESIGN}
    payload["actions"][0]["action_ts"] = at
    return payload


def menu(choice: Choice, number: int = 1, **fields: Any) -> dict[str, Any]:
    """Somebody chose from the menu under a picture."""
    payload = under(number, MENU_ACTION, "", **fields)
    action = payload["actions"][0]
    del action["value"]
    action |= {"type": "overflow", "selected_option": {"value": f"{choice}:p{number}"}}
    return payload


def opened(desk: Desk) -> Block:
    """The one dialog that was opened, which Slack would take."""
    view: Block = desk.slack.only("open_view").said["view"]
    blocks = [dict(block) for block in view["blocks"]]
    assert check_blocks(blocks, surface="modal", file_refused=lambda _: True) == []
    return view


def sent(view: Block, chosen: str = "", user: str = ALICE, view_id: str = "V1", team: str = TEAM) -> Any:
    """``view_submission`` of a dialog with that choice."""
    payload = fixture("view_submission")
    state = {CHOICE_BLOCK: {CHOICE_ACTION: {"type": "radio_buttons", "selected_option": {"value": chosen}}}}
    payload["user"] |= {"id": user, "team_id": team}
    payload["view"] |= {**view, "id": view_id, "state": {"values": state if chosen else {}}}
    return payload
