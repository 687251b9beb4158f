"""Each way in which the API says no, as the person reads it and as the ledger has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.app import Overrides
from darkroom.turns.breaker import FAILING_WAITS_S, FAILURES, MEND_WAITS_S
from sandbox.images.faults import Fault
from sandbox.images.server import RunningServer, serve_images
from tests.scenarios.conftest import OpenTown
from tests.scenarios.story import HurriedClock, Town, picture

FIXTURES = Path(__file__).parents[1] / "fixtures" / "openai"
BODIES: dict[str, Any] = json.loads((FIXTURES / "errors.json").read_text())


@dataclass(frozen=True)
class Seen:
    """How a story with one error ends: the turn, its attempts, and words that its person reads (none if it
    ends with a picture after all)."""

    turn: tuple[str, str]
    attempts: tuple[str, ...]
    words: tuple[str, ...] = ()
    status: int = 400


_NO_ACCESS = Seen(("pictures", "pictures"), ("released", "settled"))
_REFUSED = Seen(("failed", "api_refused"), ("released",), ("refused", "nothing was charged"))
_WAITED = Seen(("pictures", "pictures"), ("released", "settled"))
"""What only an admin can mend is waited for: here it is mended when somebody tries."""

EXPECTED: dict[str, Seen] = {
    "moderation_blocked_images_400": Seen(("blocked", "moderation"), ("released",), ("other words",)),
    "retired_model_images_400": _NO_ACCESS,
    "bad_size_legacy_400": _REFUSED,
    "bad_size_v2_variants_400": _REFUSED,
    "invalid_image_file_400": _REFUSED,
    "input_fidelity_400": _REFUSED,
    "transparent_unsupported_400": _REFUSED,
    "tools_n_400": _REFUSED,
    "stream_needs_partials_400_2025": _REFUSED,
    "host_model_without_tool_400": _NO_ACCESS,
    "org_unverified_403": Seen(_NO_ACCESS.turn, _NO_ACCESS.attempts, status=403),
    "org_unverified_host_404": Seen(_NO_ACCESS.turn, _NO_ACCESS.attempts, status=404),
    "org_unverified_stream_400": _NO_ACCESS,
    "model_not_found_404": Seen(_NO_ACCESS.turn, _NO_ACCESS.attempts, status=404),
    "invalid_key_401": Seen(_WAITED.turn, _WAITED.attempts, status=401),
    "missing_scope_401": Seen(_WAITED.turn, _WAITED.attempts, status=401),
    "quota_429": Seen(_WAITED.turn, _WAITED.attempts, status=429),
    "billing_hard_limit_400": _WAITED,
    "ipm_429": Seen(("pictures", "pictures"), ("released", "settled"), status=429),
    # About the conversation before it: the saved picture goes along instead (for a first turn, nothing does).
    "previous_response_not_found_400": Seen(("pictures", "pictures"), ("released", "settled")),
    "item_not_persisted_404": Seen(("pictures", "pictures"), ("released", "settled"), status=404),
    "ig_without_reasoning_400": _REFUSED,
}
STREAMS: dict[str, Seen] = {
    "error_flat": Seen(("uncertain", "uncertain"), ("uncertain",), ("nobody can say",)),
    "error_nested_then_failed": _WAITED,
    "failed_only": Seen(("pictures", "pictures"), ("released", "settled")),
    "image_ok": Seen(("pictures", "pictures"), ("settled",)),
    "item_moderation_blocked": Seen(("blocked", "moderation"), ("settled",), ("violence", "other words")),
}


@pytest.fixture
async def hurried(towns: OpenTown) -> Town:
    """A town in which waiting takes no time."""
    return await towns(overrides=Overrides(clock=HurriedClock(limit_s=MEND_WAITS_S[0] + 1)))


def _body(case: dict[str, Any]) -> dict[str, Any]:
    if "body" in case:
        error = case["body"]["error"]
        code = str(error["code"]).split(" | ")[0] if error["code"] else None
        return {"error": error | {"code": code}}
    parts = {name: case.get(name) for name in ("type", "param", "code")}
    return {"error": parts | {"message": case.get("message") or case["messages"][0]}}


async def _ends_as(town: Town, seen: Seen) -> None:
    await town.rests()
    assert town.ledger.turns() == [seen.turn]
    assert town.ledger.attempts() == list(seen.attempts)
    town.ledger.holds_nothing()
    roots = [message for message in town.messages() if not message.is_reply]
    if seen.turn[0] == "pictures":
        assert len(roots) == 1
        return
    assert roots == [], "the placeholder stays behind"
    told = town.alice.private()
    assert len(told) == 1
    for word in seen.words:
        assert word.lower() in told[0].lower()
    assert "Traceback" not in told[0]
    assert "error" not in told[0].lower() or "api" in told[0].lower()


def test_every_captured_error_and_stream_has_its_story() -> None:
    elsewhere = {"_note", "moderation_blocked_in_item", "midstream_error_sse"}
    assert set(EXPECTED) | elsewhere == set(BODIES)
    assert set(STREAMS) == {path.stem for path in (FIXTURES / "streams").glob("*.json")}


@pytest.mark.parametrize("name", EXPECTED)
async def test_an_error_body_ends_as_it_should(hurried: Town, name: str) -> None:
    seen = EXPECTED[name]
    hurried.images.faults.append(
        Fault(endpoint="responses", status=BODIES[name].get("status", seen.status), body=_body(BODIES[name]))
    )
    await hurried.alice.types("/imagine a red fox in snow")
    await _ends_as(hurried, seen)
    if seen.turn[0] != "pictures":
        assert hurried.ledger.charged() == 0


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_ends_as_it_should(hurried: Town, name: str) -> None:
    events = json.loads((FIXTURES / "streams" / f"{name}.json").read_text())
    hurried.images.faults.append(Fault(endpoint="responses", events=events))
    await hurried.alice.types("/imagine a red fox in snow")
    await _ends_as(hurried, STREAMS[name])


async def test_an_error_in_the_middle_of_a_stream(hurried: Town) -> None:
    events = [json.loads(event) for event in BODIES["midstream_error_sse"]["events"]]
    hurried.images.faults.append(Fault(endpoint="responses", events=events))
    await hurried.alice.types("/imagine a red fox in snow")
    await _ends_as(hurried, _WAITED)


async def test_a_rate_limit_waits_as_told_without_a_hold_and_then_makes_the_picture(towns: OpenTown) -> None:
    clock = HurriedClock()
    town = await towns(overrides=Overrides(clock=clock))
    town.images.faults.append(Fault(endpoint="responses", status=429, body=_body(BODIES["ipm_429"])))
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    assert any(11.0 < seconds <= 12.0 for seconds in clock.waits)


async def test_a_model_that_may_not_be_used_falls_back_openly_and_is_priced_as_what_was_called(
    hurried: Town,
) -> None:
    body = _body(BODIES["model_not_found_404"])
    body["error"]["message"] = body["error"]["message"].replace("`X`", "`gpt-image-2-2026-04-21`")
    hurried.images.faults.append(Fault(endpoint="responses", status=404, body=body))
    thread = await hurried.alice.imagines("a red fox in snow")
    message = await thread.shows(picture(version=1))
    assert "made with gpt-image-2.5-flare" in json.dumps(message.blocks)
    await hurried.rests()
    models = [row["image_model"] for row in hurried.ledger.rows("SELECT image_model FROM pictures")]
    assert models == ["gpt-image-2.5-flare"]


class _Mending(HurriedClock):
    """Has something mended while the API is left alone for the first time."""

    def __init__(self) -> None:
        super().__init__(limit_s=FAILING_WAITS_S[0] + 1)
        self.mend: Callable[[], Awaitable[object]] | None = None

    async def sleep(self, seconds: float) -> None:
        """Mend first, if that is what is waited for."""
        if self.mend is not None and FAILING_WAITS_S[0] - 1 < seconds <= FAILING_WAITS_S[0]:
            mend, self.mend = self.mend, None
            await mend()
        await super().sleep(seconds)


async def test_an_api_that_was_unreachable_for_a_while_costs_nothing_and_nobody_their_turn(
    towns: OpenTown,
) -> None:
    clock = _Mending()
    town = await towns(overrides=Overrides(clock=clock))
    server = town.world.image_server
    await server.close()
    back: list[RunningServer] = []

    async def mend() -> None:
        back.append(await serve_images(town.images, port=server.port))

    clock.mend = mend
    await town.alice.types("/imagine a red fox in snow")
    try:
        await town.rests()
    finally:
        for each in back:
            await each.close()
    assert town.ledger.turns() == [("pictures", "pictures")]
    assert town.ledger.attempts() == ["released"] * FAILURES + ["settled"]


async def test_a_connection_that_drops_is_asked_for_by_its_id_and_brings_the_picture(
    towns: OpenTown,
) -> None:
    town = await towns(overrides=Overrides(clock=HurriedClock(moment_s=0.5)))
    town.images.faults.append(Fault(endpoint="responses", drop_after=2))
    thread = await town.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1))
    await town.rests()
    assert len(town.calls) == 1
    assert town.ledger.attempts() == ["settled"]


async def test_a_connection_that_drops_before_any_id_is_uncertain_and_never_sent_again(hurried: Town) -> None:
    hurried.images.faults.append(Fault(endpoint="responses", drop_after=0))
    await hurried.alice.types("/imagine a red fox in snow")
    await _ends_as(hurried, Seen(("uncertain", "uncertain"), ("uncertain",), ("nobody can say",)))
    assert len(hurried.calls) == 1
    held = hurried.ledger.rows("SELECT hold_nano_usd FROM attempts")[0]["hold_nano_usd"]
    assert hurried.ledger.charged() == held


async def test_usage_that_is_missing_is_estimated_and_flagged_never_free(hurried: Town) -> None:
    hurried.images.faults.append(Fault(endpoint="responses", omit_usage=True, omit_tool_usage=True))
    thread = await hurried.alice.imagines("a red fox in snow")
    await thread.shows(picture(version=1, price="$0.05"))
    await hurried.rests()
    flags = hurried.ledger.rows("SELECT flags FROM journal WHERE kind = 'settle'")[0]["flags"]
    assert "estimated" in flags


async def test_two_people_at_once_and_one_of_them_blocked_do_not_touch_each_other(hurried: Town) -> None:
    await asyncio.gather(
        hurried.alice.types("/imagine something forbidden"), hurried.bob.types("/imagine a cat")
    )
    await hurried.rests()
    assert sorted(hurried.ledger.turns()) == [("blocked", "moderation"), ("pictures", "pictures")]
    assert hurried.bob.private() == []
