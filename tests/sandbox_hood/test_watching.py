"""Everything that goes to or fro between Slack, the app and the image API is in the record."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from sandbox.faults.rules import Rule
from sandbox.hood.pictures import price_usd
from sandbox.images import costs
from sandbox.images.errors import Dropped
from sandbox.slack.files import url_private
from tests.sandbox_hood.conftest import ALICE, DESIGN, TOKEN, Place
from tests.sandbox_images.support import KEY, message, png, quick_api, request, stream
from tests.sandbox_slack.conftest import App

Json = dict[str, Any]


async def _last(place: Place) -> Json:
    return (await place.entries())[-1]


async def _read(events: AsyncGenerator[Json, None]) -> None:
    async for _ in events:
        continue


async def _details(place: Place, entry: Json) -> Json:
    status, found = await place.get(f"/control/hood/{entry['id']}")
    assert status == 200
    details: Json = found
    return details


async def test_a_call_of_the_web_api_has_its_time_its_thread_and_its_answer(place: Place) -> None:
    posted = await place.web("chat.postMessage", channel=DESIGN, text="hello there")
    entry = await _last(place)
    assert (entry["kind"], entry["name"], entry["ok"], entry["error"]) == (
        "web",
        "chat.postMessage",
        True,
        None,
    )
    assert entry["said"] == "#design: hello there"
    assert (entry["channel"], entry["thread"]) == (DESIGN, posted["ts"])
    assert entry["ms"] > 0
    details = await _details(place, entry)
    assert details["entry"] == entry
    assert details["request"]["text"] == "hello there"
    assert details["answer"]["ts"] == posted["ts"]
    assert details["stream"] is None


async def test_what_is_no_form_is_in_the_record_and_refused_all_the_same(place: Place) -> None:
    kind = {"Content-Type": "multipart/form-data; boundary=a"}
    async with place.http.post("/api/chat.postMessage", data=b"x", headers=TOKEN | kind) as answer:
        assert await answer.json() == {"ok": False, "error": "invalid_form_data"}
    entry = await _last(place)
    assert (entry["name"], entry["error"]) == ("chat.postMessage", "invalid_form_data")
    assert "(not a form)" in (await _details(place, entry))["request"]


async def test_a_change_of_a_reply_belongs_to_its_thread(place: Place) -> None:
    root = await place.web("chat.postMessage", channel=DESIGN, text="root")
    reply = await place.web("chat.postMessage", channel=DESIGN, text="reply", thread_ts=root["ts"])
    await place.web("chat.update", channel=DESIGN, ts=reply["ts"], text="better")
    entry = await _last(place)
    assert (entry["name"], entry["thread"]) == ("chat.update", root["ts"])
    assert [each["name"] for each in await place.entries(thread=root["ts"])] == [
        "chat.postMessage",
        "chat.postMessage",
        "chat.update",
    ]


async def test_a_form_is_read_like_json_and_its_handler_still_gets_it(place: Place) -> None:
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "Hello"}}]
    form = {"channel": DESIGN, "text": "in a form", "blocks": json.dumps(blocks)}
    async with place.http.post("/api/chat.postMessage", data=form, headers=TOKEN) as answer:
        body = await answer.json()
        assert body["ok"], body
    details = await _details(place, await _last(place))
    assert details["request"]["blocks"] == blocks


async def test_a_refusal_and_a_lost_connection_say_what_happened(place: Place) -> None:
    await place.web("chat.postMessage", channel="C0NOWHERE1", text="x")
    refused = await _last(place)
    assert (refused["ok"], refused["error"]) == (False, "channel_not_found")
    place.workspace.fault_plan.add(Rule("slack", "chat.postMessage", "connection lost after"))
    with pytest.raises(aiohttp.ClientError):
        await place.web("chat.postMessage", channel=DESIGN, text="x")
    lost = await _last(place)
    assert (lost["ok"], lost["error"]) == (False, "the connection ended without an answer")


async def test_uploads_downloads_and_response_urls_are_there(place: Place) -> None:
    begun = await place.web("files.getUploadURLExternal", filename="fox.png", length=70)
    url = begun["upload_url"].replace(place.workspace.base_url, "")
    async with place.http.post(url, data=b"x" * 70) as answer:
        assert answer.status == 200
    entry = await _last(place)
    assert (entry["kind"], entry["name"], entry["said"], entry["ok"]) == ("file", "upload", "70 bytes", True)
    await place.web("files.completeUploadExternal", files=[{"id": begun["file_id"], "title": "A fox"}])
    await place.web("files.info", file=begun["file_id"])
    assert [each["said"] for each in (await place.entries())[-2:]] == ["fox.png", "fox.png"]
    app = await place.join()
    await place.workspace.type_command(ALICE, DESIGN, "/imagine a fox")
    command = next(sent["payload"] for sent in app.got if sent["type"] == "slash_commands")
    path = command["response_url"].replace(place.workspace.base_url, "")
    async with place.http.post(path, json={"text": "only for you"}) as answer:
        assert answer.status == 200
    entry = await _last(place)
    assert (entry["kind"], entry["channel"], entry["ok"]) == ("response_url", DESIGN, True)


async def test_a_picture_that_the_app_downloads_comes_whole_and_is_told_by_its_size(place: Place) -> None:
    file = await place.workspace.upload(ALICE, "fox.png", png())
    await place.workspace.post(ALICE, DESIGN, "like this", files=(file.id,))
    path = url_private(place.workspace, file).replace(place.workspace.base_url, "")
    async with place.http.get(path, headers=TOKEN) as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert await answer.read() == file.data
    entry = await _last(place)
    assert (entry["kind"], entry["name"], entry["ok"]) == ("file", "download", True)
    details = await _details(place, entry)
    assert details["answer"] == f"({len(file.data):,} bytes of image/png)"


@pytest.mark.parametrize(
    ("body", "kind"), [(b'{"text": "\xff"}', "application/json"), (b"{", "application/json; charset=nope")]
)
async def test_json_that_cannot_be_read_is_refused_as_slack_does(
    place: Place, body: bytes, kind: str
) -> None:
    headers = TOKEN | {"Content-Type": kind}
    async with place.http.post("/api/chat.postMessage", data=body, headers=headers) as answer:
        assert await answer.json() == {"ok": False, "error": "invalid_json"}
    assert (await _last(place))["error"] == "invalid_json"


async def test_what_is_too_long_for_an_id_is_not_kept_with_an_entry(place: Place) -> None:
    await place.web("chat.postMessage", channel="C" * 100_000, thread_ts="1" * 100_000, text="x")
    entry = await _last(place)
    assert (entry["channel"], entry["thread"]) == (None, None)
    assert len(entry["said"]) < 200


async def test_a_download_that_is_called_text_and_is_none_comes_whole(place: Place) -> None:
    data = b"\x89PNG\r\n\x1a\n\xff\xfe\x00"
    file = await place.workspace.upload(ALICE, "fox.png", data)
    await place.workspace.post(ALICE, DESIGN, "look", files=(file.id,))
    file.mimetype = "text/plain"
    path = url_private(place.workspace, file).replace(place.workspace.base_url, "")
    async with place.http.get(path, headers=TOKEN) as answer:
        assert (answer.status, await answer.read()) == (200, data)
    assert (await _last(place))["ok"] is True


async def test_a_delivery_has_the_time_to_its_acknowledgement(place: Place) -> None:
    await place.join()
    await place.workspace.type_command(ALICE, DESIGN, "/imagine a red fox")
    entry = await _last(place)
    assert (entry["kind"], entry["name"], entry["ok"]) == ("command", "/imagine", True)
    assert entry["said"] == "Alice Ames in #design: /imagine a red fox"
    assert entry["ms"] >= 0
    posted = await place.workspace.post(ALICE, DESIGN, "hello")
    await place.workspace.until(lambda _: not place.workspace.delivery.unanswered)
    entry = await _last(place)
    assert (entry["kind"], entry["name"], entry["ok"], entry["thread"]) == (
        "event",
        "message",
        True,
        posted.ts,
    )


async def test_a_change_says_who_changed_what(place: Place) -> None:
    await place.join()
    posted = await place.workspace.post(ALICE, DESIGN, "helo")
    await place.workspace.edit_message(ALICE, DESIGN, posted.ts, "hello")
    entry = await _last(place)
    assert (entry["said"], entry["thread"]) == ("Alice Ames in #design: message_changed hello", posted.ts)


async def test_a_second_try_is_an_entry_of_its_own_and_the_first_says_why(place: Place) -> None:
    place.workspace.delivery.ack_timeout_s = 0
    place.workspace.delivery.retry_delays_s = (0,)
    app: App = await place.join(acks=False)
    await place.workspace.post(ALICE, DESIGN, "hello")
    await place.workspace.until(lambda w: w.delivery.given_up)
    first, second = await place.entries()
    assert (first["again"], first["ok"], first["error"]) == (0, False, "not acknowledged in time")
    assert (second["again"], second["ok"], second["error"]) == (1, False, "not acknowledged, given up")
    assert len(app.got) == 3


async def test_a_command_that_nobody_takes_is_there_too(place: Place) -> None:
    await place.workspace.type_command(ALICE, DESIGN, "/imagine a fox")
    entry = await _last(place)
    assert (entry["ok"], entry["error"]) == (False, "dispatch_failed")


async def test_an_acknowledgement_with_a_payload_is_the_answer(place: Place) -> None:
    app = await place.join()
    app.answer = {"text": "wait a moment"}
    await place.workspace.type_command(ALICE, DESIGN, "/imagine a fox")
    assert (await _details(place, await _last(place)))["answer"] == {"text": "wait a moment"}


async def test_a_press_says_which_button_and_in_which_thread(place: Place) -> None:
    await place.join()
    button = {"type": "button", "action_id": "edit", "text": {"type": "plain_text", "text": "Edit this one"}}
    posted = await place.web(
        "chat.postMessage", channel=DESIGN, text="x", blocks=[{"type": "actions", "elements": [button]}]
    )
    await place.workspace.press(ALICE, DESIGN, posted["ts"], "edit")
    entry = await _last(place)
    assert (entry["kind"], entry["name"], entry["said"]) == (
        "interactive",
        "block_actions",
        "Alice Ames: Edit this one",
    )
    assert entry["thread"] == posted["ts"]


async def test_a_picture_has_its_stream_its_tokens_and_the_price_that_is_billed(place: Place) -> None:
    await stream(place.images, message("a red fox in snow", png()))
    entry = await _last(place)
    assert (entry["kind"], entry["name"], entry["ok"]) == ("image", "responses", True)
    assert entry["said"].startswith("a red fox in snow (gpt-image-2, low, 1024x1024, 1 sent along")
    assert entry["tokens"]["image_output"] > 0
    call = place.images.calls[-1]
    bill = costs.Bill()
    bill.charge(0, call.asked.host, call.asked.model, call.billed)
    query = costs.read_query({"start_time": "0", "end_time": "86400"}, 0)
    billed = bill.page(query)["data"][0]["results"][0]["amount"]["value"]
    assert float(entry["price_usd"]) == float(f"{billed:.6f}")
    details = await _details(place, entry)
    events = [each["event"] for each in details["stream"]]
    assert events[0] == "response.created"
    assert events[-1] == "response.completed"
    told = json.dumps(details)
    assert len(told) < 64_000
    assert "base64" in told
    assert details["answer"]["status"] == "completed"


async def test_a_picture_belongs_to_the_thread_that_the_bot_names(place: Place) -> None:
    async with place.http.ws_connect("/control/live") as live:
        await stream(place.images)
        while (entry := await _last(place))["thread"] is None:
            await live.receive_json(timeout=30)
    assert (entry["channel"], entry["thread"], entry["ok"]) == (DESIGN, "1.0", True)


async def test_an_image_call_that_is_refused_or_cut_says_so(place: Place) -> None:
    place.images.fault_plan.add(Rule("openai", "*", "moderation"))
    assert (await place.images.create_response(request(), KEY)).status == 400
    refused = await _last(place)
    assert (refused["ok"], refused["error"], refused["price_usd"]) == (False, "moderation_blocked", None)
    place.images.fault_plan.add(Rule("openai", "*", "connection lost half-way"))
    answer = await place.images.create_response(request(stream=True), KEY)
    assert answer.events is not None
    with pytest.raises(Dropped):
        await _read(answer.events)
    async with place.http.ws_connect("/control/live") as live:
        while (entry := await _last(place))["price_usd"] is None:
            await live.receive_json(timeout=30)
    assert (entry["ok"], entry["error"]) == (False, "the connection ended before the answer did")


async def test_no_key_and_no_token_is_anywhere(place: Place) -> None:
    await place.web("chat.postMessage", channel=DESIGN, text="x", token="xoxb-sandbox")
    await place.images.create_response(request(), {"authorization": "Bearer sk-very-secret"})
    await place.join()
    await place.workspace.type_command(ALICE, DESIGN, "/imagine a fox")
    async with place.http.post(
        "/api/apps.connections.open", headers={"Authorization": "Bearer xapp-sandbox"}
    ) as answer:
        ticket = (await answer.json())["url"].partition("ticket=")[2].partition("&")[0]
    for entry in await place.entries():
        told = json.dumps(await _details(place, entry))
        for secret in ("xoxb-", "xapp-", "sk-very", ticket):
            assert secret not in told


def test_prices_are_those_of_the_classes() -> None:
    assert price_usd("gpt-5.6-luna", "gpt-image-2", {"image_output": 1_000, "host_output": 10}) == "0.030012"
    assert price_usd(None, "gpt-image-1-mini", {}) == "0.000000"


async def test_who_watches_a_bare_api_hears_of_it_too() -> None:
    """The hooks are the API's, whatever serves it."""

    class Watcher:
        def __init__(self) -> None:
            self.heard: list[str] = []

        def call(self, call: Any) -> None:
            self.heard.append(call.outcome)

        def event(self, call: Any, event: Json) -> None:
            self.heard.append("event")

        def answered(self, call: Any, status: int, body: Json | None) -> None:
            self.heard.append(f"answered {status}")

    images, watcher = quick_api(), Watcher()
    images.watchers.append(watcher)
    await images.create_response(request(), KEY)
    assert watcher.heard[0] == "running"
    assert watcher.heard[-1] == "answered 200"
    assert {"event", "picture"} <= set(watcher.heard)
    await images.close()
