"""A Darkroom that is watched: what it says about itself while people use it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from bot.app import Darkroom
from bot.preflight import CannotStart
from bot.settings import plain_settings
from bot.watch import series
from bot.watch.watch import Watch
from sandbox.images.faults import Fault
from sandbox.slack.model import Fault as SlackFault
from tests.fresh import with_books
from tests.scenarios.conftest import OpenTown
from tests.scenarios.http_town import HttpTown, url_of
from tests.scenarios.story import WAIT_S, Town, picture

Values = dict[tuple[str, tuple[str, ...]], float]
TOO_FAST = {"error": {"code": "rate_limit_exceeded"}}
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Watcher:
    """Somebody who looks."""

    def __init__(self, town: Town, session: aiohttp.ClientSession) -> None:
        self.town = town
        self._session = session

    @property
    def url(self) -> str:
        """Where."""
        assert isinstance(self.town.darkroom.watch, Watch)
        return self.town.darkroom.watch.url

    async def gets(self, path: str, **headers: str) -> tuple[int, str, str]:
        """The status, the kind of what came, and what came."""
        async with self._session.get(f"{self.url}{path}", headers=headers) as answer:
            return answer.status, answer.content_type, await answer.text()

    async def looks(self) -> tuple[int, dict[str, Any]]:
        """Whether it is ready: the status, and the parts."""
        status, _, said = await self.gets("/readyz")
        read = json.loads(said)
        assert read["ready"] is (status == 200)
        return status, read["parts"]

    async def sees(self, wanted: int) -> dict[str, Any]:
        """Look until the status is that one; gives the parts. Right after a start the first sign of life may
        not be written yet."""
        async with asyncio.timeout(WAIT_S):
            status = 0
            while status != wanted:
                status, parts = await self.looks()
        return parts

    async def metrics(self) -> Values:
        """Every number, by its name and the values of its labels."""
        status, _, text = await self.gets("/metrics")
        assert status == 200
        return {
            (sample.name, tuple(sample.labels.values())): sample.value
            for family in read_text(text)
            for sample in family.samples
        }


@pytest.fixture
async def watcher(towns: OpenTown) -> AsyncIterator[Watcher]:
    """Looks at a town that is watched."""
    async with aiohttp.ClientSession() as session:
        yield Watcher(await towns(watch__port=0), session)


def told(values: Values, name: str) -> dict[tuple[str, ...], float]:
    """One metric's numbers by its labels."""
    return {labels: value for (each, labels), value in values.items() if each == name}


async def test_what_is_counted_is_what_happened_and_what_the_books_say(watcher: Watcher) -> None:
    town = watcher.town
    before = await watcher.metrics()
    assert told(before, "darkroom_slack_connected") == {(): 1}
    assert told(before, "darkroom_charged_nano_usd_total") == {}
    thread = await town.alice.imagines("a crimson fox")
    await thread.shows(picture(version=1))
    town.workspace.faults.append(SlackFault("chat.postMessage", error="ratelimited", status=429))
    town.images.faults.append(Fault(endpoint="responses", status=429, body=TOO_FAST))
    await town.bob.types("/imagine a blue whale")
    await town.rests()
    town.easel.hold()
    await town.carol.types("/imagine a green owl")
    await town.has_called(4)
    now = await watcher.metrics()
    town.easel.let_go()
    await town.rests()

    assert sum(told(now, "darkroom_charged_nano_usd_total").values()) == town_charged_then(town)
    usual = ("responses", "gpt-image-2-2026-04-21")
    assert told(now, "darkroom_attempts_total") == {("settled", *usual): 2, ("released", *usual): 1}
    assert told(now, "darkroom_pictures_total") == {usual: 2}
    assert told(now, "darkroom_turns_arrived_total") == {("command",): 3}
    assert told(now, "darkroom_turns_ended_total") == {("pictures", "pictures"): 2}
    assert told(now, "darkroom_turn_seconds_count") == {("pictures",): 2}
    assert now["darkroom_turns_unfinished", ("working",)] == 1
    assert now["darkroom_holds", ()] == now["darkroom_renders_in_flight", ()] == 1
    assert now["darkroom_held_nano_usd", ()] == now["darkroom_period_held_nano_usd", ()] > 0
    assert now["darkroom_period_cap_nano_usd", ()] == 500 * 10**9
    assert told(now, "darkroom_render_failures_total") == {("rate_limit_exceeded", "responses", "rate"): 1}
    assert told(now, "darkroom_render_seconds_count") == {(*usual, "picture"): 2, (*usual, "failed"): 1}
    assert now["darkroom_slack_calls_total", ("chat.postMessage", "rate_limited")] == 1
    assert told(now, "darkroom_acknowledgement_seconds_count")["command",] == 3
    assert told(now, "darkroom_unacknowledged_total") == {}
    assert now["darkroom_slack_connections_total", ()] == 1


def town_charged_then(town: Town) -> int:
    """What was charged for all turns but the last."""
    last = "SELECT id FROM turns ORDER BY created_at DESC LIMIT 1"
    rows = town.ledger.rows(
        f"""
        SELECT SUM(journal.charged_delta_nano_usd) FROM journal JOIN attempts ON attempts.id = attempt_id
        WHERE attempts.turn_id <> ({last})
        """  # noqa: S608 -- put together of constants
    )
    return int(rows[0][0])


async def test_a_restart_sets_back_nothing_that_the_books_say(watcher: Watcher) -> None:
    town = watcher.town
    await (await town.alice.imagines("a fox")).shows(picture(version=1))
    await town.rests()
    before = await watcher.metrics()
    await town.restarts()
    after = await watcher.metrics()
    for one in (series.ATTEMPTS, series.PICTURES, series.TOKENS, series.CHARGED):
        assert told(after, one.name) == told(before, one.name) != {}
    assert sum(told(after, series.CHARGED.name).values()) == town.ledger.charged()
    assert told(after, series.ARRIVED.name) == {}


async def test_both_of_prometheus_parsers_read_it_and_each_series_is_as_it_is_listed(
    watcher: Watcher,
) -> None:
    town = watcher.town
    town.images.faults.append(Fault(endpoint="responses", status=500, body={"error": {"message": "no"}}))
    await town.alice.types("/imagine a fox")
    await town.rests()
    _, kind, text = await watcher.gets("/metrics")
    assert kind == "text/plain"
    plain = {family.name: family for family in read_text(text)}
    _, kind, text = await watcher.gets("/metrics", Accept=OPENMETRICS)
    assert kind == "application/openmetrics-text"
    strict = list(read_openmetrics(text))  # type: ignore[no-untyped-call]  # untyped in prometheus_client
    assert {family.name for family in strict} >= {"darkroom_turns_arrived", "darkroom_holds"}
    listed = {one.name.removesuffix("_total"): one for one in series.ALL}
    for name, family in plain.items():
        if name.startswith("process_") or name.endswith("_created"):
            continue
        one = listed[name]
        assert (family.type, family.documentation) == (one.form, one.says)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(one.labels), name
    missing = set(listed) - set(plain)
    assert missing == {"darkroom_http_refused"}, "what is listed is there"


async def test_it_is_ready_with_all_of_its_parts_and_says_which_is_not_well(watcher: Watcher) -> None:
    town = watcher.town
    parts = await watcher.sees(200)
    assert set(parts) == {
        *("Darkroom", "disk", "database", "heart", "render thread", "Slack", "image API", "turns")
    }
    assert all(part == {"ok": True} for part in parts.values())

    await town.world.slack_server.close()
    parts = await watcher.sees(503)
    assert [name for name, part in parts.items() if not part["ok"]] == ["Slack"]
    assert parts["Slack"]["says"] == "not connected to Slack"
    assert (await watcher.gets("/healthz"))[0] == 200, "to start it again would not help"


async def test_an_outage_is_said_and_it_is_ready_all_the_same(watcher: Watcher) -> None:
    town = watcher.town
    body = {"error": {"code": "insufficient_quota", "message": "sk-secret: no money"}}
    town.images.faults.append(Fault(endpoint="responses", status=429, body=body))
    await town.alice.types("/imagine a fox")
    await town.books_say("SELECT 1 FROM outages")
    parts = await watcher.sees(200)
    assert parts["image API"]["ok"]
    assert "quota" in parts["image API"]["says"]
    assert "secret" not in str(parts)
    values = await watcher.metrics()
    assert told(values, series.OUTAGE.name) == {("quota",): 1, ("key",): 0, ("region",): 0, ("failing",): 0}
    assert values[series.QUEUE.name, ()] == 1
    assert values[series.QUEUE_AGE.name, ()] > 0


async def test_nothing_but_looking_can_be_done_and_nothing_is_there_unasked(
    watcher: Watcher, towns: OpenTown
) -> None:
    async with aiohttp.ClientSession() as session:
        for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
            for path in ("/healthz", "/readyz", "/metrics"):
                async with session.request(method, f"{watcher.url}{path}") as answer:
                    assert answer.status == 405
        async with session.get(f"{watcher.url}/") as answer:
            assert answer.status == 404
        async with session.get(
            f"{watcher.url}/metrics", headers={"Accept": "application/openmetrics-text;;=;"}
        ) as answer:
            assert answer.status == 200
    unwatched = await towns()
    assert not isinstance(unwatched.darkroom.watch, Watch)


async def test_what_is_no_http_is_refused_and_fills_no_log(
    watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever looks for open ports sends such."""
    host, _, port = watcher.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: crimson\r\n\r\n")
    async with asyncio.timeout(WAIT_S):
        assert b" 400 " in await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert [record for record in caplog.records if record.name.startswith("aiohttp.server")] == []


async def test_while_it_starts_and_stops_it_is_alive_and_not_ready(watcher: Watcher) -> None:
    town = watcher.town
    watch = town.darkroom.watch
    assert isinstance(watch, Watch)
    url = watch.url
    town.easel.hold()
    await town.alice.types("/imagine a fox")
    await town.has_called()
    stopping = asyncio.create_task(town.stops())
    async with aiohttp.ClientSession() as session, asyncio.timeout(WAIT_S):
        status = 200
        while status == 200:
            async with session.get(f"{url}/readyz") as answer:
                status, parts = answer.status, (await answer.json())["parts"]
        assert parts["Darkroom"] == {"ok": False, "says": "it is stopping"}
        async with session.get(f"{url}/healthz") as answer:
            assert answer.status == 200
    town.easel.let_go()
    await stopping
    await town.starts()


async def test_a_port_that_is_taken_is_named(watcher: Watcher, tmp_path: Path) -> None:
    port = int(watcher.url.rpartition(":")[2])
    flags = watcher.town.world.settings() | {
        "storage.data_dir": with_books(tmp_path / "other"),
        "watch.port": port,
    }
    with pytest.raises(CannotStart, match=rf"watch\.port: nothing can listen on 127\.0\.0\.1 port {port}"):
        await Darkroom(plain_settings(flags)).start()


async def test_over_http_what_was_not_taken_as_slacks_is_counted(tmp_path: Path) -> None:
    made = await HttpTown.open(tmp_path / "data", watch__port=0)
    try:
        async with aiohttp.ClientSession() as session:
            watcher = Watcher(made.town, session)
            for _ in range(2):
                async with session.post(url_of(made.town), data="command=/imagine") as answer:
                    assert answer.status == 401
            await made.town.alice.types("/imagine a fox")
            await made.town.rests()
            values = await watcher.metrics()
            assert told(values, series.HTTP_REFUSED.name) == {("not signed",): 2}
            assert values[series.CONNECTED.name, ()] == 1
            assert told(values, "darkroom_acknowledgement_seconds_count")["command",] == 1
            assert (series.CONNECTIONS.name, ()) not in values
            assert (await watcher.sees(200))["Slack"] == {"ok": True}
    finally:
        await made.close()
