"""Switches: what a person can let happen in the sandbox, and on the bot's side if there is one.

A toggle of the sandbox is one rule in the fault plan. To switch it off removes that rule and no other; it is
also off when the rule has been cleared, or has happened as often as it was to happen.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sandbox.faults.rules import FaultPlan, Rule, Standing
from sandbox.hood.bot_side import BotSide, Jump
from sandbox.images.api import ImageApi
from sandbox.images.pace import PACE_MAX, pace_in
from sandbox.slack.workspace import Workspace

Json = dict[str, Any]
Value = bool | float | None
Kind = Literal["toggle", "press", "number"]
Group = Literal["image API", "Slack", "money", "time"]

_FILL: Final = "fill_cap"


class BadSwitch(ValueError):
    """What was asked of a switch makes no sense; the text says what does."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch as it is shown; `value` is None for a press, which only happens."""

    id: str
    label: str
    about: str
    kind: Kind
    group: Group
    value: Value = None
    min: float | None = None
    max: float | None = None
    unit: str | None = None

    def as_json(self) -> Json:
        """As the page gets it; what a kind does not have is left out."""
        made: Json = {
            name: getattr(self, name) for name in ("id", "label", "about", "kind", "value", "group")
        }
        extra = {"min": self.min, "max": self.max, "unit": self.unit}
        return made | {name: value for name, value in extra.items() if value is not None}


def _toggle(switch_id: str, group: Group, label: str, about: str) -> Switch:
    return Switch(switch_id, label, about, "toggle", group)


_RULES: Final[tuple[tuple[Switch, Rule], ...]] = (
    (
        _toggle("refuse", "image API", "Refuse the next picture", "The moderation blocks one request."),
        Rule("openai", "*", "moderation"),
    ),
    (
        _toggle(
            "drop",
            "image API",
            "Drop the next connection",
            "The connection ends half-way, once; the picture is made, billed, and can be fetched.",
        ),
        Rule("openai", "*", "connection lost half-way"),
    ),
    (
        _toggle("limit", "image API", "Rate limit", "Every call is answered 429: wait 5 seconds."),
        Rule("openai", "*", "rate limit", times=None, args={"retry_after": 5}),
    ),
    (
        _toggle(
            "closed",
            "image API",
            "Out of credit",
            "The account has no money left: 429. What waits tries again by itself, sooner if time passes.",
        ),
        Rule("openai", "*", "out of credit", times=None),
    ),
    (
        _toggle("slow", "image API", "Slow", "For 15 seconds nothing happens, in every call."),
        Rule("openai", "responses", "slow", times=None, args={"seconds": 15.0}),
    ),
    (
        _toggle("slack_slow", "Slack", "Slow", "Each answer of Slack's Web API comes 2 seconds late."),
        Rule("slack", "*", "slow", times=None, args={"seconds": 2.0}),
    ),
    (
        _toggle("slack_limit", "Slack", "Rate limit", "Messages are answered 429: wait 5 seconds."),
        Rule("slack", "chat.*", "ratelimited", times=None, args={"retry_after": 5}),
    ),
    (
        _toggle(
            "slack_drop",
            "Slack",
            "Drop answers",
            "Messages are posted, but the connection ends before Slack says so.",
        ),
        Rule("slack", "chat.postMessage", "connection lost after", times=None),
    ),
)
_PACE: Final = Switch(
    "pace",
    "A picture takes",
    "How long the image API works on one.",
    "number",
    "image API",
    min=0.0,
    max=PACE_MAX,
    unit="seconds",
)
_FORGET: Final = Switch(
    "forget",
    "Forget all conversations",
    "Stored responses expire; edits must send the picture again.",
    "press",
    "image API",
)
_REFRESH: Final = Switch(
    "refresh",
    "Refresh the socket",
    "Slack asks the app to connect anew, as it does every few hours.",
    "press",
    "Slack",
)
_CAP: Final = _toggle(
    _FILL, "money", "Fill my cap", "Your money for this period is spent, but for less than a picture costs."
)
_TIMES: Final[tuple[tuple[Jump, str, str], ...]] = (
    ("hour", "An hour later", "What waits for an hour or less comes now."),
    ("day", "A day later", "Alerts and reports that were due by then come now."),
    ("month", "Next month", "The first minute of the next month: caps begin anew."),
)
_JUMPS: Final[Mapping[str, tuple[Jump, Switch]]] = {
    f"next_{to}": (to, Switch(f"next_{to}", label, about, "press", "time")) for to, label, about in _TIMES
}


class Switchboard:
    """All switches of one sandbox; those of the image API only with one, those about money and time only
    with a bot's side."""

    def __init__(self, workspace: Workspace, images: ImageApi | None, bot_side: BotSide | None) -> None:
        self._workspace = workspace
        self._images = images
        self._bot_side = bot_side
        self._on: dict[str, tuple[FaultPlan, Standing]] = {}
        self._filling = asyncio.Lock()

    def shown(self, viewer: str | None) -> list[Json]:
        """Every switch with its value now; *viewer* is whose cap it is about."""
        rules = [replace(switch, value=self._is_on(switch.id)) for switch, _ in _RULES]
        mine = [*(r for r in rules if r.group == "Slack"), _REFRESH]
        if self._images is not None:
            pace = replace(_PACE, value=self._images.seconds_per_picture)
            mine = [pace, *(r for r in rules if r.group == "image API"), _FORGET, *mine]
        if self._bot_side is not None:
            person = self._person(viewer)
            mine.append(replace(_CAP, value=person is not None and self._bot_side.filled(person)))
            mine += [jump for _, jump in self._jumps.values()]
        return [switch.as_json() for switch in mine]

    async def use(self, switch_id: str, value: object, viewer: str | None) -> None:
        """Press or set a switch. Raises BadSwitch."""
        images = self._images
        if switch_id == _REFRESH.id:
            await self._workspace.refresh_sockets()
        elif images is not None and switch_id == _PACE.id:
            images.seconds_per_picture = _seconds(value)
        elif images is not None and switch_id == _FORGET.id:
            images.forget()
        elif (rule := self._rule(switch_id)) is not None:
            self._set(switch_id, rule, _yes_or_no(value))
        elif self._bot_side is not None and switch_id == _FILL:
            await self._fill(self._bot_side, viewer, _yes_or_no(value))
        elif self._bot_side is not None and switch_id in self._jumps:
            await self._jump(self._bot_side, self._jumps[switch_id][0])
        else:
            raise BadSwitch(f"there is no switch {switch_id[:80]!r} here")

    @property
    def _jumps(self) -> Mapping[str, tuple[Jump, Switch]]:
        """Those there are here: real money is not spent beyond a cap because somebody let a month go by."""
        return {} if self._bot_side is None or self._bot_side.real()["images"] else _JUMPS

    def _person(self, viewer: str | None) -> str | None:
        """The id of somebody by their id or name, who is no app and has not left."""
        try:
            user = self._workspace.user_named(viewer or "")
        except KeyError:
            return None
        return None if user.is_bot or user.deleted else user.id

    def _rule(self, switch_id: str) -> Rule | None:
        """The rule of a toggle that there is here."""
        sides = ("slack",) if self._images is None else ("slack", "openai")
        return next((rule for switch, rule in _RULES if switch.id == switch_id and rule.side in sides), None)

    def _plan(self, rule: Rule) -> FaultPlan:
        return (self._images if rule.side == "openai" and self._images else self._workspace).fault_plan

    def _is_on(self, switch_id: str) -> bool:
        plan, standing = self._on.get(switch_id, (None, None))
        if plan is None or standing is None:
            return False
        spent = standing.rule.times is not None and standing.met >= standing.rule.times
        in_force = plan is self._plan(standing.rule)
        return in_force and not spent and any(each is standing for each in plan.standing)

    def _set(self, switch_id: str, rule: Rule, on: bool) -> None:
        if self._is_on(switch_id) == on:
            return
        if (before := self._on.pop(switch_id, None)) is not None:
            plan, standing = before
            if any(each is standing for each in plan.standing):
                plan.remove(standing.id)
        if on:
            plan = self._plan(rule)
            try:
                self._on[switch_id] = plan, plan.add(rule, self._workspace.now())
            except ValueError as full:
                raise BadSwitch(str(full)) from full

    async def _jump(self, side: BotSide, to: Jump) -> None:
        async with self._filling:
            answer = await side.jump(to)
        if answer.get("ok") is False:
            raise BadSwitch(str(answer.get("error", "the bot could not do it")))

    async def _fill(self, side: BotSide, viewer: str | None, on: bool) -> None:
        person = self._person(viewer)
        if person is None:
            raise BadSwitch('"viewer" must be the id or the name of a person')
        # One after the other: the bot's side is told to turn it round, not how it shall be.
        async with self._filling:
            if on != side.filled(person):
                await self._turn(side, person)

    async def _turn(self, side: BotSide, person: str) -> None:
        """Fill a cap that is not, give back one that is."""
        answer = await side.fill_cap(person)
        if not answer.get("ok"):
            raise BadSwitch(str(answer.get("error", "the bot could not do it")))


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadSwitch('"value" must be true or false')
    return value


def _seconds(value: object) -> float:
    if (seconds := pace_in(value)) is None:
        raise BadSwitch(f'"value" must be a number of seconds from 0 to {PACE_MAX:g}')
    return seconds
