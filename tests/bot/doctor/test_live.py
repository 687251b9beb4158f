"""``doctor --live`` against the sandbox: what it says, what it spends, and what it leaves behind."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.cli import Refused
from bot.doctor.finding import Finding, Grade
from bot.doctor.live import run_live
from bot.doctor.live_probes import LiveProbes
from bot.doctor.probes import LIVE
from bot.settings import Settings, plain_settings
from darkroom.spending.money import format_usd_exact, parse_usd
from sandbox.images.api import ImageApi
from sandbox.images.faults import Fault
from sandbox.images.server import RunningServer, serve_images
from tests.rendering.support import png
from tests.scenarios.flat import FlatPainter
from tests.scenarios.story import HurriedClock

KEY = "a-key-of-no-usual-form-0123456789"
LIMIT = parse_usd("0.10")


@dataclass
class Bench:
    """An image API, settings that lead there, and what was said."""

    api: ImageApi
    server: RunningServer
    settings: Settings
    said: list[str] = field(default_factory=list)

    async def run(self, limit: int | None = LIMIT) -> dict[str, Finding]:
        """The findings by their check."""
        found = await run_live(self.settings, limit, self.said.append, clock=HurriedClock())
        assert [finding.check for finding in found] == list(LIVE)
        return {finding.check: finding for finding in found}

    def fail(self, **fault: Any) -> None:
        """Something goes wrong, once."""
        self.api.faults.append(Fault(**fault))

    @property
    def paid(self) -> list[str]:
        """The endpoints of the calls that were billed."""
        return [call.endpoint for call in self.api.calls if call.billed]

    @property
    def kept(self) -> list[str]:
        """The responses that the API still keeps."""
        return [name for name, _ in self.api.memory.items()]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A quick API; the data directory does not exist."""
    api = ImageApi(seconds_per_picture=0.0, paint=FlatPainter(), images_per_minute=20)
    server = await serve_images(api)
    flags = {
        "openai_api_key": KEY,
        "openai_base_url": server.url,
        "storage.data_dir": tmp_path / "data",
    }
    yield Bench(api, server, plain_settings(flags))
    await server.close()


async def test_every_probe_says_what_it_saw_and_nothing_stays(bench: Bench) -> None:
    found = await bench.run()
    odd = {check for check, finding in found.items() if finding.grade is not Grade.PASS}
    assert odd == {"live.background"}, "the sandbox cannot read a response on"
    assert "1024x640 png" in found["live.responses"].said
    assert "107 tokens (107 by the formula)" in found["live.tokens"].said
    assert "x-ratelimit-limit-images: 20" in found["live.headers"].said
    assert "previous_response_not_found" in found["live.forgotten"].said
    assert bench.paid == ["responses", "images.generations", "responses"]
    assert bench.kept == []
    assert not bench.settings.storage.data_dir.exists()


async def test_what_was_spent_is_said_and_is_what_was_billed(bench: Bench) -> None:
    found = await bench.run()
    billed = [call.billed for call in bench.api.calls if call.billed]
    assert len(billed) == 3
    assert bench.said[0].endswith("costs $0.0774493 at most.")
    said = bench.said[-1]
    assert "Up to" not in said
    rates = {"text_input": 5_000, "image_output": 30_000, "host_input": 200, "host_output": 1_200}
    cost = sum(rates[name] * tokens for each in billed for name, tokens in each.items() if tokens)
    assert said.startswith(f"Spent: {format_usd_exact(cost)} as reported.")
    assert found["live.spent"].said.startswith(f"{format_usd_exact(cost)} as reported;")


@pytest.mark.parametrize("limit", [None, parse_usd("0.0774")])
async def test_without_enough_of_a_limit_nothing_is_sent(bench: Bench, limit: int | None) -> None:
    with pytest.raises(Refused, match=r"--limit 0\.08"):
        await bench.run(limit)
    assert bench.api.calls == []


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("openai_api_key", None, "OPENAI_API_KEY is missing"),
        ("openai_api_key", "two words", "OPENAI_API_KEY"),
        ("image.model", "dall-e-3", "dall-e-3"),
        ("image.host_model", "gpt-nothing", "gpt-nothing"),
    ],
)
async def test_settings_that_leave_nothing_to_try_are_refused(
    bench: Bench, setting: str, value: str | None, words: str
) -> None:
    flags: dict[str, Any] = {"openai_api_key": KEY, "openai_base_url": bench.server.url, setting: value}
    bench.settings = plain_settings({name: each for name, each in flags.items() if each is not None})
    with pytest.raises(Refused, match=words):
        await bench.run()
    assert bench.api.calls == []


async def test_a_key_that_is_refused_ends_it_and_is_never_shown(bench: Bench) -> None:
    bench.api.keys = frozenset({"another"})
    found = await bench.run()
    assert found["live.responses"].grade is Grade.FAIL
    assert "OPENAI_API_KEY" in found["live.responses"].remedy
    assert [call.endpoint for call in bench.api.calls] == ["responses", "models", "models"]
    assert found["live.images"].grade is Grade.SKIP
    assert KEY not in str(found) + str(bench.said)
    assert "Spent: $0.00 as reported." in bench.said[-1]


async def test_a_key_that_the_api_repeats_is_not_shown(bench: Bench) -> None:
    told = {"error": {"message": f"What is {KEY}?", "type": "x", "code": "invalid_api_key", "param": None}}
    bench.fail(endpoint="responses", status=401, body=told)
    found = await bench.run()
    assert "What is [key]?" in found["live.responses"].said


async def test_an_unverified_organisation_is_named_with_its_remedy_and_the_rest_goes_on(bench: Bench) -> None:
    words = "Your organization must be verified to use the model `gpt-image-2-2026-04-21`."
    told = {"error": {"message": words, "type": "invalid_request_error", "code": None, "param": None}}
    bench.fail(endpoint="responses", status=403, body=told)
    found = await bench.run()
    assert found["live.responses"].grade is Grade.FAIL
    assert "Verify the organisation" in found["live.responses"].remedy
    assert found["live.images"].grade is Grade.PASS
    assert found["live.stored"].grade is Grade.SKIP


async def test_missing_usage_is_odd_and_counted_at_the_estimate(bench: Bench) -> None:
    bench.fail(endpoint="responses", omit_tool_usage=True)
    found = await bench.run()
    assert found["live.tokens"].grade is Grade.WARN
    assert "charged with estimated" in found["live.tokens"].said
    assert found["live.stored"].grade is Grade.WARN


@pytest.mark.parametrize(
    ("tokens", "words"), [(120, ""), (999, "it cost more than the most that was computed")]
)
async def test_tokens_above_the_formula_are_odd(bench: Bench, tokens: int, words: str) -> None:
    usage = {"output_tokens": tokens, "input_tokens": 11, "total_tokens": tokens + 11}
    picture = base64.b64encode(png()).decode()
    answer = {"created": 1, "data": [{"b64_json": picture}], "usage": usage}
    bench.fail(endpoint="images.generations", status=200, body=answer)
    found = await bench.run()
    assert found["live.tokens"].grade is Grade.WARN
    assert f"{tokens} tokens (107 by the formula)" in found["live.tokens"].said
    assert words in found["live.tokens"].said
    assert "catalogue.file" in found["live.tokens"].remedy
    assert found["live.images"].grade is Grade.WARN
    assert "asked for were 1024x640 png" in found["live.images"].said


async def test_an_answer_that_breaks_off_may_have_cost_all_that_it_can(bench: Bench) -> None:
    bench.fail(endpoint="responses", drop_after=0)
    found = await bench.run()
    assert found["live.responses"].grade is Grade.FAIL
    assert "Up to $0.0" in bench.said[-1]
    assert found["live.spent"].grade is Grade.WARN
    assert found["live.background"].grade is not Grade.SKIP


async def test_a_response_that_cannot_be_fetched_is_said(bench: Bench) -> None:
    for _ in range(2):
        bench.fail(endpoint="responses.retrieve", status=500, body={"error": {"message": "trouble"}})
    found = await bench.run()
    assert found["live.identifier"].grade is Grade.PASS
    assert "trouble" in found["live.identifier"].said
    assert found["live.stored"].grade is Grade.WARN


async def test_a_deleted_response_that_can_be_gone_on_from_is_said(bench: Bench) -> None:
    gone = {"id": "resp_1", "object": "response.deleted", "deleted": True}
    bench.fail(endpoint="responses.delete", status=200, body=gone)
    found = await bench.run()
    assert found["live.forgotten"].grade is Grade.WARN
    assert "can still be gone on from" in found["live.forgotten"].said
    assert bench.paid.count("responses") == 3


async def test_a_refused_moderation_is_told_from_a_refused_background_mode(bench: Bench) -> None:
    told = {
        "error": {
            "message": "Unknown parameter: 'tools[0].moderation'.",
            "type": "invalid_request_error",
            "code": "unknown_parameter",
            "param": "tools[0].moderation",
        }
    }
    bench.fail(endpoint="responses", match=lambda body: "moderation" in str(body), status=400, body=told)
    found = await bench.run()
    assert found["live.moderation"].grade is Grade.WARN
    assert "unknown_parameter" in found["live.moderation"].said
    assert "taken with the image tool" in found["live.background"].said


async def test_a_refused_background_mode_costs_nothing(bench: Bench) -> None:
    told = {"error": {"message": "No background here.", "type": "invalid_request_error", "code": None}}
    bench.fail(endpoint="responses", match=lambda body: bool(body.get("background")), status=400, body=told)
    found = await bench.run()
    assert found["live.background"].said.startswith("refused with the image tool")
    assert found["live.moderation"].grade is Grade.SKIP
    assert "Up to" not in bench.said[-1]


async def test_a_shutdown_that_the_catalogue_does_not_know_is_said(bench: Bench) -> None:
    model = {"id": "gpt-image-2-2026-04-21", "object": "model", "created": 1, "owned_by": "system"}
    bench.fail(endpoint="models", status=200, body=model | {"shutdown_date": "2027-03-01"})
    found = await bench.run()
    assert found["live.shutdown"].grade is Grade.WARN
    assert "2027-03-01 by the API, none in the catalogue" in found["live.shutdown"].said


async def test_no_headers_at_all_are_said(bench: Bench) -> None:
    bench.api.images_per_minute = None
    assert (await bench.run())["live.headers"].grade is Grade.WARN


async def test_responses_that_cannot_be_deleted_are_named(bench: Bench) -> None:
    for _ in range(9):
        bench.fail(endpoint="responses.delete", status=500, body={"error": {"message": "trouble"}})
    found = await bench.run()
    assert found["live.forgotten"].grade is Grade.SKIP
    assert all(response in bench.said[-1] for response in bench.kept)
    assert all(response in found["live.spent"].said for response in bench.kept)
    assert len(bench.kept) == 2


async def test_who_stops_it_hears_what_it_may_have_cost_and_nothing_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, keep = asyncio.Event(), LiveProbes._keep

    def kept(probes: LiveProbes, response_id: str) -> None:
        keep(probes, response_id)
        began.set()

    monkeypatch.setattr(LiveProbes, "_keep", kept)
    bench.fail(endpoint="responses", silent_after=1)
    work = asyncio.create_task(bench.run())
    await began.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert bench.kept == []
    assert bench.said[-1].startswith("Spent: $0.00 as reported.")
    assert "Up to $0.0232691 more" in bench.said[-1]


async def test_another_provider_is_said_to_be_one(bench: Bench) -> None:
    await bench.run()
    assert "which is not OpenAI: another contract" in bench.said[0]
