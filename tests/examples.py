"""Small valid things that tests are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from darkroom.rendering.job import Candidate, Endpoint, SavedPicture
from darkroom.spending.bound import Ask
from darkroom.spending.budgets import BudgetKind, Caps
from darkroom.spending.classes import Cost, Line, TokenClass
from darkroom.spending.periods import PeriodKind
from darkroom.turns.model import AttemptState, Options, Picture, Request, Surface, Turn, TurnState
from darkroom.turns.store import Plan, Settlement

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""Any moment will do; this is the one."""

IMAGE_MODEL, HOST_MODEL = "gpt-image-2-2026-04-21", "gpt-5.6-luna"
TEAM, DESIGN, ALICE, BOB = "T0TEAM0001", "C0DESIGN01", "U0ALICE001", "U0BOB00001"


class StillClock:
    """A clock that stands until it is moved; sleeping moves it. Ids count up."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at
        self.slept: list[float] = []
        self._ids = 0

    def now(self) -> datetime:
        """The moment it stands at."""
        return self.at

    def monotonic(self) -> float:
        """Seconds, moving with ``now``."""
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        """Move on by *seconds* at once."""
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    def new_id(self, kind: str) -> str:
        """``kind_000001`` and so on."""
        self._ids += 1
        return f"{kind}_{self._ids:06d}"


def caps(
    person: int | None = None,
    channel: int | None = None,
    workspace: int | None = None,
    period: PeriodKind = PeriodKind.month,
    timezone: str = "UTC",
) -> Caps:
    """Limits in nano-dollars; None is no limit."""
    limits = {BudgetKind.PERSON: person, BudgetKind.CHANNEL: channel, BudgetKind.WORKSPACE: workspace}
    return Caps(limits, period, timezone)


def cost(amount: int) -> Cost:
    """A cost of *amount* nano-dollars, all of it image output."""
    return Cost((Line(TokenClass.image_output, 1, amount),) if amount else (), amount)


def command(
    prompt: str = "a red fox in snow", *, trigger: str = "1.1.a", user: str = ALICE, **options: Any
) -> Request:
    """What ``/imagine`` makes of *prompt*."""
    return Request(
        key=f"command:{trigger}",
        surface=Surface.COMMAND,
        team_id=TEAM,
        channel_id=options.pop("channel", DESIGN),
        user_id=user,
        prompt=prompt,
        order=options.pop("order", "1763640000.000000"),
        options=Options(**options),
        reply_url="http://127.0.0.1:9/commands/1",
    )


def message(
    text: str, ts: str, thread_ts: str, *, user: str = ALICE, surface: Surface = Surface.REPLY
) -> Request:
    """A reply or a mention."""
    return Request(
        key=f"message:{DESIGN}:{ts}",
        surface=surface,
        team_id=TEAM,
        channel_id=DESIGN,
        user_id=user,
        prompt=text,
        order=ts,
        thread_ts=thread_ts,
        message_ts=ts,
    )


def plan(attempt_id: str, amount: int = 100, *, revision: int = 0, parent_id: str | None = None) -> Plan:
    """An attempt with a bound of *amount* nano-dollars."""
    return Plan(
        attempt_id=attempt_id,
        candidate=Candidate(Endpoint.RESPONSES, IMAGE_MODEL, HOST_MODEL),
        provider="openai",
        width=1024,
        height=1024,
        quality="medium",
        format="png",
        bound=cost(amount),
        price_version="gpt-image-2@2026-04-21",
        parent_id=parent_id,
        revision=revision,
        listed_model="gpt-image-2",
        ask=Ask(IMAGE_MODEL, HOST_MODEL, 1024, 1024, "medium", 18, 600, 0, 2_048, NOON.date()),
    )


def settlement(
    amount: int, *, picture_id: str | None = None, state: AttemptState = AttemptState.SETTLED
) -> Settlement:
    """A charge of *amount* nano-dollars, with a picture if it gets an id."""
    picture = SavedPicture("0" * 64, Path("0.png"), 3, "png", 1024, 1024) if picture_id else None
    return Settlement(
        state=state,
        cost=cost(amount),
        price_version="gpt-image-2@2026-04-21",
        response_id="resp_1",
        picture=picture,
        picture_id=picture_id,
    )


def turn(request: Request | None = None, **changes: Any) -> Turn:
    """A turn that is being made."""
    asked = request or command()
    usual = Turn(
        id="turn_1",
        person_key="p_1",
        request=asked,
        state=TurnState.WORKING,
        ending=None,
        revision=0,
        parent_id=None,
        thread_ts=asked.thread_ts,
        placeholder_ts=None,
        post_begun_at=None,
        message_ts=None,
        placeholder_closed_at=None,
        told_at=None,
        undelivered_reason=None,
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(usual, **changes)


def picture(**changes: Any) -> Picture:
    """Version 1, made for Alice in #design."""
    usual = Picture(
        id="picture_1",
        turn_id="turn_1",
        attempt_id="attempt_1",
        team_id=TEAM,
        channel_id=DESIGN,
        thread_ts="1763640000.000100",
        user_id=ALICE,
        version=1,
        parent_id=None,
        parent_version=None,
        sha256="0" * 64,
        format="png",
        width=1024,
        height=1024,
        size_bytes=3,
        prompt="a red fox in snow",
        revised_prompt="A red fox stands in deep snow.",
        image_model=IMAGE_MODEL,
        host_model=HOST_MODEL,
        endpoint="responses",
        provider="openai",
        quality="medium",
        response_id="resp_1",
        host_tokens=100,
        chain_pictures=1,
        charged_nano_usd=53_000_000,
        flags=(),
        seconds=12.3,
        created_at=NOON,
    )
    return replace(usual, **changes)
