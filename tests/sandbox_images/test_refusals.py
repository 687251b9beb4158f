"""What is refused, with the bodies the live API sends."""

import base64
from typing import Any

import pytest

from sandbox.images.inputs import LONGEST_DATA_URL
from tests.sandbox_images.support import (
    ERRORS,
    FORCED,
    KEY,
    Clock,
    Json,
    ask,
    data_url,
    message,
    png,
    quick_api,
    refusal,
    request,
)

IMAGE_2 = {"model": "gpt-image-2", "prompt": "a fox"}


def without_ids(error: Json) -> Json:
    """An error whose request id is not compared."""
    return {**error, "message": error["message"].partition(" and include the request ID")[0]}


@pytest.mark.parametrize(
    ("size", "why"),
    [
        ("872x2048", "Width and height must both be divisible by 16."),
        ("4096x4096", "The longest edge must be less than or equal to 3840."),
        ("576x1024", "Requested resolution is below the current minimum pixel budget."),
        ("3840x3840", "Requested resolution is above the current maximum pixel budget."),
        ("3840x1024", "The aspect ratio must be between 1:3 and 3:1."),
        ("large", "Expected WIDTHxHEIGHT or auto."),
    ],
)
async def test_a_size_outside_the_rules_is_refused_with_the_rule(size: str, why: str) -> None:
    status, error = await refusal(quick_api(), tool={"size": size})
    assert (status, error["message"]) == (400, f"Invalid size '{size}'. {why}")
    captured = ERRORS["bad_size_v2_variants_400"]
    assert {key: error[key] for key in ("type", "param", "code")} == {
        key: captured[key] for key in ("type", "param", "code")
    }


@pytest.mark.parametrize("size", ["1024x1024", "3840x2160", "2160x3840", "1536x512", "832x832", "auto"])
async def test_a_size_within_the_rules_is_drawn(size: str) -> None:
    if size == "1536x512":
        size = "1536x528"
    response = await ask(quick_api(), tool={"size": size})
    assert response["output"][1]["size"] == ("1024x1024" if size == "auto" else size)


async def test_a_family_1_model_has_three_sizes() -> None:
    body = {**IMAGE_2, "model": "gpt-image-1.5", "size": "123x456"}
    answer = await quick_api(now=Clock().now).generate_images(body, KEY)
    assert (answer.status, answer.body) == (400, ERRORS["bad_size_legacy_400"]["body"])


async def test_an_unknown_tool_parameter_is_refused_by_its_path() -> None:
    status, error = await refusal(quick_api(), tool={"n": 2})
    assert (status, error["message"]) == (400, ERRORS["tools_n_400"]["message"])
    assert (error["code"], error["param"]) == ("unknown_parameter", "tools[0].n")


async def test_an_unknown_top_level_parameter_is_refused() -> None:
    _, error = await refusal(quick_api(), prompt_rewriter=True)
    assert (error["code"], error["param"]) == ("unknown_parameter", "prompt_rewriter")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"quality": "xhigh"}, "tools[0].quality"),
        ({"output_format": "gif"}, "tools[0].output_format"),
        ({"output_format": "svg"}, "tools[0].output_format"),
        ({"partial_images": 4}, "tools[0].partial_images"),
        ({"partial_images": True}, "tools[0].partial_images"),
        ({"output_compression": 101}, "tools[0].output_compression"),
        ({"model": "gpt-image-9"}, "tools[0].model"),
        ({"moderation": "none"}, "tools[0].moderation"),
        ({"background": "transparent"}, "background"),
        ({"complexity": "high"}, "complexity"),
        ({"frame_count": 4}, "frame_count"),
        ({"action": "edit"}, "tools[0].action"),
    ],
)
async def test_a_tool_value_the_model_does_not_have_is_refused(change: Json, param: str) -> None:
    status, error = await refusal(quick_api(), tool=change)
    assert (status, error["code"], error["param"]) == (400, "invalid_value", param)


@pytest.mark.parametrize(
    "change",
    [
        {"quality": "max", "model": "gpt-image-2.5-flare"},
        {"background": "transparent", "model": "gpt-image-2.5-sunburst"},
        {"output_format": "webp"},
        {"output_format": "jpeg", "output_compression": 50},
        {"complexity": "high", "model": "gpt-image-2.6-flare"},
        {"output_format": "svg", "model": "gpt-image-2.6-flare"},
    ],
)
async def test_what_a_family_can_do_is_done(change: Json) -> None:
    response = await ask(quick_api(), tool=change)
    assert response["output"][1]["result"]


async def test_a_gif_has_no_partials() -> None:
    gif = {"model": "gpt-image-2.6-flare", "output_format": "gif"}
    assert (await ask(quick_api(), tool=gif))["output"][1]["output_format"] == "gif"
    status, _ = await refusal(quick_api(), tool={**gif, "partial_images": 1})
    assert status == 400


async def test_input_fidelity_is_refused_for_family_2() -> None:
    answer = await quick_api().generate_images({**IMAGE_2, "input_fidelity": "high"}, KEY)
    assert answer.body == ERRORS["input_fidelity_400"]["body"]


async def test_a_retired_image_model_is_refused_in_both_ways() -> None:
    api = quick_api()
    status, error = await refusal(api, tool={"model": "gpt-image-1"})
    assert (status, error["code"]) == (404, "model_not_found")
    answer = await api.generate_images({**IMAGE_2, "model": "dall-e-3"}, KEY)
    assert (answer.status, answer.body) == (400, ERRORS["retired_model_images_400"]["body"])


async def test_an_unknown_host_is_not_found() -> None:
    status, error = await refusal(quick_api(), model="X")
    assert (status, {"error": error}) == (404, ERRORS["model_not_found_404"]["body"])


async def test_a_host_without_the_tool_says_so() -> None:
    status, error = await refusal(quick_api(), model="gpt-3.5-turbo")
    captured = ERRORS["host_model_without_tool_400"]["body"]["error"]
    assert (status, error["message"]) == (400, captured["message"].replace("gpt-4.o", "gpt-3.5-turbo"))


async def test_models_stop_answering_on_their_day() -> None:
    """gpt-image-1.5 answers on 30 November 2026 and is gone on 1 December, UTC."""
    clock = Clock(1_796_083_199.0)
    api = quick_api(now=clock.now)
    assert (await api.models(KEY, "gpt-image-1.5")).body is not None
    assert (await ask(api, tool={"model": "gpt-image-1.5"}))["output"][1]["result"]
    clock.time += 1
    assert (await api.models(KEY, "gpt-image-1.5")).status == 404
    status, error = await refusal(api, tool={"model": "gpt-image-1.5"})
    assert (status, error["code"]) == (404, "model_not_found")


async def test_a_wrong_key_is_refused_and_not_repeated_whole() -> None:
    api = quick_api(keys=frozenset({"sk-right"}))
    answer = await api.create_response(request(), {"authorization": "Bearer sk-abcdefghij"})
    assert (answer.status, answer.body) == (401, ERRORS["invalid_key_401"]["body"])
    assert (await api.create_response(request(), {})).status == 401
    assert (await api.create_response(request(), {"authorization": "Bearer sk-right"})).status == 200


@pytest.mark.parametrize("forced", [True, False])
async def test_a_forbidden_prompt_is_blocked_at_the_input_and_costs_nothing(forced: bool) -> None:
    api = quick_api()
    status, error = await refusal(api, "a Forbidden thing", tool_choice=FORCED if forced else "auto")
    captured = ERRORS["moderation_blocked_images_400"]["body"]["error"]
    assert (status, without_ids(error)) == (400, without_ids(captured))
    assert api.calls[-1].billed == {}


async def test_the_images_endpoint_blocks_outputs_as_an_error() -> None:
    answer = await quick_api().generate_images({**IMAGE_2, "prompt": "blocked-output"}, KEY)
    assert answer.body is not None
    assert answer.body["error"]["moderation_details"]["moderation_stage"] == "output"


@pytest.mark.parametrize("spoiled", [b"no picture", b"", png()[:40], b"GIF89a" + bytes(30)])
async def test_a_picture_that_cannot_be_read_is_refused_by_its_number(spoiled: bytes) -> None:
    status, error = await refusal(quick_api(), message("make it night", png(), png(), spoiled))
    assert (status, {"error": error}) == (400, ERRORS["invalid_image_file_400"]["body"])


async def test_a_seventeenth_picture_is_refused() -> None:
    assert (await ask(quick_api(), message("a wall", *[png()] * 16)))["output"][1]["action"] == "edit"
    status, _ = await refusal(quick_api(), message("a wall", *[png()] * 17))
    assert status == 400


async def test_a_data_url_above_the_limit_is_refused() -> None:
    url = data_url(png())
    part = {"type": "input_image", "image_url": url + "A" * (LONGEST_DATA_URL + 1 - len(url))}
    _, error = await refusal(quick_api(), [{"role": "user", "content": [part]}])
    assert error["code"] == "string_above_max_length"


@pytest.mark.parametrize(
    ("mask", "allowed"),
    [(png(64, 64, "RGBA"), True), (png(64, 64), False), (png(32, 64, "RGBA"), False), (b"x", False)],
)
async def test_a_mask_has_alpha_and_the_size_of_the_picture(mask: bytes, allowed: bool) -> None:
    tool = {"input_image_mask": {"image_url": data_url(mask)}}
    answer = await quick_api().create_response(request(message("a hat", png()), tool=tool), KEY)
    assert answer.status == (200 if allowed else 400)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"safety_identifier": "x" * 129}, "string_above_max_length"),
        ({"metadata": {"k": "v" * 513}}, "string_above_max_length"),
        ({"metadata": {str(n): "v" for n in range(17)}}, "invalid_type"),
        ({"reasoning": {"effort": "huge"}}, "invalid_value"),
        ({"max_output_tokens": 3}, "invalid_value"),
        ({"max_tool_calls": 0}, "invalid_value"),
        ({"tool_choice": "image_generation"}, "invalid_value"),
        ({"tools": [{"type": "web_search"}]}, "invalid_value"),
        ({"input": []}, "missing_required_parameter"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "invalid_value"),
        ({"model": None}, "missing_required_parameter"),
        ({"previous_response_id": "resp_abc"}, "previous_response_not_found"),
    ],
)
async def test_a_value_the_api_does_not_take_is_refused(change: Json, code: str) -> None:
    status, error = await refusal(quick_api(), **change)
    assert (status, error["code"]) == (400, code)


async def test_what_the_api_takes_is_taken() -> None:
    accepted: dict[str, Any] = {
        "safety_identifier": "x" * 128,
        "instructions": "Be brief.",
        "metadata": {"turn": "1"},
        "reasoning": {"effort": "low"},
        "max_output_tokens": 2_000,
        "max_tool_calls": 1,
        "parallel_tool_calls": False,
        "store": True,
    }
    response = await ask(quick_api(), **accepted)
    assert {
        key: response[key] for key in ("safety_identifier", "instructions", "metadata", "max_tool_calls")
    } == {key: accepted[key] for key in ("safety_identifier", "instructions", "metadata", "max_tool_calls")}
    assert response["parallel_tool_calls"] is False


@pytest.mark.parametrize(
    ("change", "code"),
    [({"prompt": ""}, "missing_required_parameter"), ({"prompt": "x" * 32_001}, "string_above_max_length"),
     ({"n": 11}, "invalid_value"), ({"response_format": "url"}, "unknown_parameter"),
     ({"image": "x"}, "unknown_parameter"), ({"model": None}, "missing_required_parameter")],
)  # fmt: skip
async def test_the_images_endpoint_refuses_likewise(change: Json, code: str) -> None:
    answer = await quick_api().generate_images({**IMAGE_2, **change}, KEY)
    assert answer.body is not None
    assert (answer.status, answer.body["error"]["code"]) == (400, code)


async def test_more_pictures_a_minute_than_allowed_are_told_when_to_come_back() -> None:
    clock = Clock()
    api = quick_api(now=clock.now, images_per_minute=5)
    for _ in range(5):
        await ask(api)
    clock.time += 48
    answer = await api.create_response(request(), KEY)
    assert answer.body is not None
    captured = ERRORS["ipm_429"]["body"]["error"]
    assert answer.body["error"] == {
        **captured,
        "message": captured["message"].replace("org-X", "org-sandbox"),
    }
    assert answer.headers["retry-after"] == "12"
    clock.time += 12
    assert (await api.create_response(request(), KEY)).status == 200


async def test_an_edit_by_json_takes_data_urls_and_by_bytes_takes_files() -> None:
    api = quick_api()
    urls = {**IMAGE_2, "images": [{"image_url": data_url(png(1024, 1024))}]}
    files = {**IMAGE_2, "image": [png(1024, 1024)]}
    one, other = await api.edit_images(urls, KEY), await api.edit_images(files, KEY)
    assert one.body is not None
    assert other.body is not None
    assert one.body["usage"]["input_tokens_details"]["image_tokens"] == 1_024
    assert base64.b64decode(other.body["data"][0]["b64_json"]).startswith(b"\x89PNG")
